import type { Call } from '../http/call.ts';

/** A file of the built dashboard, or null where it cannot be had. */
export async function readAsset({ request, deployment }: Call, path: string): Promise<Response | null> {
  try {
    const asset = await deployment.assets.fetch(new URL(path, request.url));
    return asset.ok ? asset : null;
  } catch {
    return null;
  }
}
