// Refusals as pages, for a person who opened an address in a browser: a sentence and a link in place of JSON.
import type { Call } from '../http/call.ts';
import { PROBLEMS, type Refusal } from '../http/problem.ts';
import { readAsset } from './asset.ts';
import { PAGE_HEADERS } from './headers.ts';
import { withTheme } from './theme.ts';

/**
 * The page for a refusal, with its status and headers, or null where the files of the dashboard cannot be had. `headers` are
 * those of the answer that a program would get.
 */
export async function problemPage(
  call: Call,
  { slug, detail }: Refusal,
  headers: Headers,
): Promise<Response | null> {
  const { status, title } = PROBLEMS[slug];
  const asset = await readAsset(call, slug === 'not-found' ? '/404' : '/problem');
  if (asset === null) return null;
  const say = (text: string) => ({
    element(element: Element) {
      element.setInnerContent(text);
    },
  });
  // The page for a path that does not exist has a fixed text.
  const page =
    slug === 'not-found'
      ? withTheme(call.request)
      : withTheme(call.request)
          .on('title, h1', say(title))
          .on('.numeral', say(String(status)))
          .on('#detail', say(SENTENCES[slug] ?? detail ?? ''))
          .on('#request', say(`Request ${call.id}`))
          .on('#meaning', {
            element(element) {
              element.setAttribute('href', `/docs/problems#${slug}`);
            },
          });
  const all = new Headers(headers);
  for (const [name, value] of Object.entries(PAGE_HEADERS)) all.set(name, value);
  all.set('content-type', 'text/html; charset=utf-8');
  all.set('cache-control', 'no-store');
  return new Response(page.transform(asset).body, { status, headers: all });
}

/** For a person, in place of what a program is told to do. */
const SENTENCES: Partial<Record<Refusal['slug'], string>> = {
  'authentication-required':
    'This address is for programs. They send an API token with each call; a browser sends none.',
  'method-not-allowed': 'This address is for programs, which call it in another way.',
  'sign-in-required': 'Sign in to the Developer Zone first.',
};
