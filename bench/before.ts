// The version that the present one is compared with: the kept release, or a commit that is bundled here.
import { keptRelease, releaseAt, type Release } from '../scripts/release.ts';

export type Before = Release & { title: string };

/** `commit`: anything that git takes for one; none stands for the kept release (e2e/previous-release/). */
export function openBefore(commit: string | undefined): Before {
  const release = commit === undefined ? keptRelease() : releaseAt(commit);
  return { ...release, title: release.commit.slice(0, 7) };
}
