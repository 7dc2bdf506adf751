// The gateways' configuration files as /docs/gateways shows them: those of docs/gateways, which the tests run with real
// gateways, without their comments. A test compares the two.

/** `host` is asked about calls. */
export function caddyfile(host: string): string {
  return CADDYFILE.replaceAll('verify.example.com', host);
}

/** `host` is asked about calls. */
export function nginxConf(host: string): string {
  return NGINX.replaceAll('verify.example.com', host);
}

const CADDYFILE = `api.example.com {
  route {
    request_header -*Organisation*
    request_header -*Token*
    @websocket header_regexp Upgrade (?i)^websocket$
    request_header -Connection
    request_header @websocket Connection Upgrade
    request_header @websocket Upgrade websocket
    @other not header Upgrade websocket
    request_header @other -Upgrade
    request_header -HTTP2-Settings
    @connect method CONNECT
    respond @connect 405
    @website header Origin https://www.example.com
    header @website {
      Access-Control-Allow-Origin {header.Origin}
      Access-Control-Expose-Headers "WWW-Authenticate, Retry-After"
      +Vary Origin
      defer
    }
    @preflight {
      method OPTIONS
      header Access-Control-Request-Method *
    }
    @preflightOfWebsite {
      method OPTIONS
      header Access-Control-Request-Method *
      header Origin https://www.example.com
    }
    header @preflightOfWebsite {
      Access-Control-Allow-Methods "GET, HEAD, POST, PUT, PATCH, DELETE"
      Access-Control-Allow-Headers "Authorization, X-API-Key, Content-Type, Idempotency-Key"
      Access-Control-Max-Age 7200
    }
    respond @preflight 204
    forward_auth https://verify.example.com {
      uri /verify
      header_up Host verify.example.com
      header_up -Cookie
      copy_headers X-Organisation-Id X-Organisation-Plan X-Token-Id
    }
    reverse_proxy 127.0.0.1:9000 {
      flush_interval -1
      header_up -Authorization
      header_up -X-API-Key
    }
  }
}`;

const NGINX = `upstream developer_zone {
  server verify.example.com:443;
  keepalive 32;
}
map $http_origin $cors_origin {
  default "";
  "https://www.example.com" $http_origin;
}
map "$request_method $http_access_control_request_method" $is_preflight {
  default "";
  "~^OPTIONS ." 1;
}
map "$is_preflight$cors_origin" $cors_methods {
  default "";
  "~^1." "GET, HEAD, POST, PUT, PATCH, DELETE";
}
map "$is_preflight$cors_origin" $cors_headers {
  default "";
  "~^1." "Authorization, X-API-Key, Content-Type, Idempotency-Key";
}
map "$is_preflight$cors_origin" $cors_max_age {
  default "";
  "~^1." 7200;
}
server {
  listen 8080;
  underscores_in_headers off;
  ignore_invalid_headers on;
  client_max_body_size 100m;
  add_header Access-Control-Allow-Origin $cors_origin always;
  add_header Access-Control-Expose-Headers "WWW-Authenticate, Retry-After" always;
  add_header Access-Control-Allow-Methods $cors_methods always;
  add_header Access-Control-Allow-Headers $cors_headers always;
  add_header Access-Control-Max-Age $cors_max_age always;
  add_header Vary Origin always;
  location / {
    if ($is_preflight) {
      return 204;
    }
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
    proxy_set_header Connection "";
    proxy_set_header Upgrade "";
    proxy_set_header HTTP2-Settings "";
    proxy_hide_header Access-Control-Allow-Origin;
    proxy_http_version 1.1;
    proxy_buffering off;
    proxy_request_buffering off;
    proxy_read_timeout 300s;
    proxy_pass http://127.0.0.1:9000;
  }
  location = /developer-zone-verify {
    internal;
    proxy_pass https://developer_zone/verify;
    proxy_http_version 1.1;
    proxy_set_header Host verify.example.com;
    proxy_set_header Connection "";
    proxy_pass_request_headers off;
    proxy_pass_request_body off;
    proxy_set_header Content-Length "";
    proxy_set_header Authorization $http_authorization;
    proxy_set_header X-API-Key $http_x_api_key;
    proxy_ssl_server_name on;
    proxy_ssl_name verify.example.com;
    proxy_ssl_verify on;
    proxy_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;
    proxy_connect_timeout 3s;
    proxy_read_timeout 5s;
  }
  location @verification_unavailable {
    internal;
    default_type application/problem+json;
    add_header Access-Control-Allow-Origin $cors_origin always;
    add_header Access-Control-Expose-Headers Retry-After always;
    add_header Vary Origin always;
    add_header Retry-After 1 always;
    return 503 '{"title":"Verification unavailable","status":503}';
  }
}`;
