// The product behind a KV namespace in which each key holds the same current record: every look-up that memory cannot
// answer is a real KV read and a hit. Filling thousands of keys takes the local simulator minutes; nothing is written.
import product from './product.js';

export * from './product.js';

type Bindings = { TOKEN_CACHE: KVNamespace };
let wrapped: Record<string, unknown> | undefined;

export default {
  fetch(request: Request, env: Bindings, context: ExecutionContext) {
    wrapped ??= {
      ...env,
      TOKEN_CACHE: { get: () => env.TOKEN_CACHE.get('record'), put: async () => {}, delete: async () => {} },
    };
    return product.fetch(request, wrapped, context);
  },
};
