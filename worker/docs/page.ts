// A page of the documentation: HTML from blocks, with no inline script or style, so that the strict policy holds.
import type { Article } from './articles.ts';
import { blockHtml, blockMarkdown, escapeHtml } from './blocks.ts';

/** Links lead to this deployment wherever the text is read. */
export function articleMarkdown({ title, blocks }: Article, origin: string): string {
  const text = [`# ${title}`, ...blocks().map(blockMarkdown)].join('\n\n');
  return `${text.replaceAll('](/', `](${origin}/`)}\n`;
}

export type Theme = 'light' | 'dark';

/** `all` are the pages that the navigation leads to. */
export function articleHtml(
  { title, path, summary, blocks }: Article,
  all: readonly Article[],
  product: string,
  theme: Theme | undefined,
): string {
  const pages = all.map((page) => {
    const current = page.path === path ? ' aria-current="page"' : '';
    return `<li><a href="${page.path}"${current}>${escapeHtml(page.name)}</a></li>`;
  });
  const written = blocks();
  const contents = written.flatMap((block) => {
    if (!('heading' in block)) return [];
    const sub = block.level === 3 ? ' class="sub"' : '';
    return [`<li${sub}><a href="#${escapeHtml(block.id)}">${escapeHtml(block.heading)}</a></li>`];
  });
  const dataTheme = theme === undefined ? '' : ` data-theme="${theme}"`;
  return `<!doctype html>
<html lang="en-GB"${dataTheme}><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title><meta name="description" content="${escapeHtml(summary)}">
<link rel="icon" href="/favicon.svg"><link rel="stylesheet" href="/docs/docs.css">
<link rel="alternate" type="text/markdown" href="${path}.md"><link rel="service-desc" type="application/json" href="/openapi.json">
<script type="module" src="/docs/copy.js"></script></head><body>
<a class="skip" href="#content">Skip to content</a>
<header><a class="brand" href="/docs"><img src="/favicon.svg" alt="" width="24" height="24">${escapeHtml(product)} API</a>
<nav aria-label="Documentation"><ul>${pages.join('')}<li><a href="/developer-zone">Developer Zone</a></li></ul></nav>
<nav aria-label="On this page"><details><summary>On this page</summary><ul>${contents.join('')}</ul></details></nav></header>
<main id="content"><h1>${escapeHtml(title)}</h1>
<p class="quiet">Version 1.0.0 · <a href="/openapi.json">OpenAPI document</a> · <a href="${path}.md">Markdown</a> · <a href="/llms.txt">llms.txt</a></p>
${written.map(blockHtml).join('\n')}
</main></body></html>
`;
}
