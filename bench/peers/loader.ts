// Starts a new isolate of a bundle for each call, through the Worker Loader, to measure a cold start.
type Bindings = { LOADER: WorkerLoader; BUNDLES: Record<string, Bundle> };
type Bundle = { code: string; flags: string[]; date: string; env: Record<string, string> };

export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    const name = url.searchParams.get('bundle') ?? '';
    const bundle = env.BUNDLES[name];
    if (bundle === undefined) return new Response(null, { status: 404 });
    const worker = env.LOADER.get(crypto.randomUUID(), () => ({
      compatibilityDate: bundle.date,
      compatibilityFlags: bundle.flags,
      mainModule: 'index.js',
      modules: { 'index.js': bundle.code },
      env: bundle.env,
    }));
    return worker.getEntrypoint().fetch('http://localhost/healthz');
  },
} satisfies ExportedHandler<Bindings>;
