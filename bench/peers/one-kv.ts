// The product behind a KV namespace in which each key holds its current record: every look-up that memory cannot answer
// is a real KV read and a hit. Filling thousands of keys takes the local simulator minutes, so that the records come from
// one value, read once, and each look-up reads another value as long as a record. Nothing is written.
import product from './product.js';

export * from './product.js';

type Bindings = { TOKEN_CACHE: KVNamespace };
let wrapped: Record<string, unknown> | undefined;
let records: Map<string, string> | undefined;

async function read(kv: KVNamespace, key: string): Promise<string | null> {
  records ??= new Map(
    Object.entries(JSON.parse((await kv.get('records')) ?? '{}') as Record<string, string>),
  );
  await kv.get('record');
  return records.get(key) ?? null;
}

export default {
  fetch(request: Request, env: Bindings, context: ExecutionContext) {
    wrapped ??= {
      ...env,
      TOKEN_CACHE: {
        get: (key: string) => read(env.TOKEN_CACHE, key),
        put: async () => {},
        delete: async () => {},
      },
    };
    return product.fetch(request, wrapped, context);
  },
};
