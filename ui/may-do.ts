// What a token may do, as one text: it follows the choices of the dialog that makes the token. Pure.
import type { Limits } from './api.ts';
import { formatEnd } from './format.ts';
import { asIs } from './text.tsx';

/** `organisation`: its name. Says only what the limits say: what they leave open is left out. */
export function mayDo({ expiresAt, access, paths, networks, origins }: Limits, organisation: string): string {
  const until =
    expiresAt === null
      ? 'Until you deactivate or delete it'
      : `Until ${formatEnd(expiresAt)}, or until you deactivate or delete it`;
  const verb = access === 'read' ? 'read' : 'read and write';
  const what = paths.length === 0 ? 'the whole API' : inWords(paths, 'paths');
  const end = paths.length > 0 ? ', and nothing else' : access === 'read' ? ', and change nothing' : '';
  return [
    `${until}, it can ${verb} ${what} for ${asIs(organisation)}${end}.`,
    networks.length > 0 && `It works only from ${inWords(networks, 'networks')}.`,
    origins.length > 0 && `In browsers it works only on ${inWords(origins, 'websites')}.`,
  ]
    .filter(Boolean)
    .join(' ');
}

/** As many as a sentence can carry, else their number. */
function inWords(list: string[], kind: string): string {
  return list.length > 2 ? `${list.length} ${kind}` : list.map(asIs).join(' and ');
}
