// The gateways' configuration files as /docs/gateways shows them: those of docs/gateways, which the tests run with real
// gateways, without their comments. A test compares the two.

/** `host` is this deployment's own. */
export function caddyfile(host: string): string {
  return CADDYFILE.replaceAll('tokens.example.com', host);
}

/** `host` is this deployment's own. */
export function nginxConf(host: string): string {
  return NGINX.replaceAll('tokens.example.com', host);
}

const CADDYFILE = `api.example.com {
  route {
    request_header -X-Organisation*
    request_header -X_Organisation*
    request_header -X-Token*
    request_header -X_Token*
    forward_auth https://tokens.example.com {
      uri /verify
      header_up Host tokens.example.com
      header_up -Cookie
      copy_headers X-Organisation-Id X-Organisation-Plan X-Token-Id
    }
    reverse_proxy 127.0.0.1:9000 {
      header_up -Authorization
      header_up -X-API-Key
    }
  }
}`;

const NGINX = `upstream developer_zone {
  server tokens.example.com:443;
  keepalive 32;
}

server {
  listen 8080;
  underscores_in_headers off;
  location / {
    auth_request /developer-zone-verify;
    auth_request_set $organisation_id $upstream_http_x_organisation_id;
    auth_request_set $organisation_plan $upstream_http_x_organisation_plan;
    auth_request_set $token_id $upstream_http_x_token_id;
    error_page 500 =503 @verification_unavailable;
    proxy_set_header X-Organisation-Id $organisation_id;
    proxy_set_header X-Organisation-Plan $organisation_plan;
    proxy_set_header X-Token-Id $token_id;
    proxy_set_header Authorization "";
    proxy_set_header X-API-Key "";
    proxy_pass http://127.0.0.1:9000;
  }
  location = /developer-zone-verify {
    internal;
    proxy_pass https://developer_zone/verify;
    proxy_http_version 1.1;
    proxy_set_header Host tokens.example.com;
    proxy_set_header Connection "";
    proxy_pass_request_headers off;
    proxy_pass_request_body off;
    proxy_set_header Content-Length "";
    proxy_set_header Authorization $http_authorization;
    proxy_set_header X-API-Key $http_x_api_key;
    proxy_ssl_server_name on;
    proxy_ssl_name tokens.example.com;
    proxy_ssl_verify on;
    proxy_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;
    proxy_connect_timeout 3s;
    proxy_read_timeout 5s;
  }
  location @verification_unavailable {
    internal;
    default_type application/problem+json;
    add_header Retry-After 1 always;
    return 503 '{"title":"Verification unavailable","status":503}';
  }
}`;
