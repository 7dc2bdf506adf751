import type { Env } from '../env.ts';

/** A file of the built dashboard, or null where it cannot be had. */
export async function readAsset(env: Env, request: Request, path: string): Promise<Response | null> {
  try {
    const asset = await env.ASSETS.fetch(new URL(path, request.url));
    return asset.ok ? asset : null;
  } catch {
    return null;
  }
}
