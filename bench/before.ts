// The version before: the kept release, or a commit that is bundled here. The present version is compared with it.
import { keptRelease, releaseAt, type Release } from '../scripts/release.ts';

export type Before = Release & { title: string };

/** `commit`: a name of a commit that git knows. Without it: the kept release (e2e/previous-release/). */
export function openBefore(commit: string | undefined): Before {
  const release = commit === undefined ? keptRelease() : releaseAt(commit);
  return { ...release, title: release.commit.slice(0, 7) };
}
