declare namespace Cloudflare {
  interface Env {
    TEST_MIGRATIONS: import('cloudflare:test').D1Migration[];
    TAG_KEYS: string;
    TAG_KEY_CURRENT: string;
  }
}
