// One id per request, the same wherever it is asked for: Cloudflare's own where there is one.

const ids = new WeakMap<Request, string>();

export function requestIdOf(request: Request): string {
  let id = ids.get(request);
  if (id === undefined) {
    id = request.headers.get('cf-ray') ?? crypto.randomUUID();
    ids.set(request, id);
  }
  return id;
}
