// A page of the documentation: HTML from blocks, with no inline script or style, so that the strict policy holds.
import { blockHtml, blockMarkdown, escapeHtml } from './blocks.ts';
import type { Block } from './blocks.ts';

export type Article = { title: string; path: string; blocks: readonly Block[] };

export function articleMarkdown({ title, blocks }: Article): string {
  return `${[`# ${title}`, ...blocks.map(blockMarkdown)].join('\n\n')}\n`;
}

export function articleHtml(
  { title, path, blocks }: Article,
  product: string,
  theme: string | undefined,
): string {
  const contents = blocks
    .flatMap((block) => ('heading' in block && block.level !== 3 ? [block] : []))
    .map(({ id, heading }) => `<li><a href="#${escapeHtml(id)}">${escapeHtml(heading)}</a></li>`);
  const dataTheme = theme === 'light' || theme === 'dark' ? ` data-theme="${theme}"` : '';
  const name = escapeHtml(product);
  return `<!doctype html>
<html lang="en-GB"${dataTheme}><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title><meta name="description" content="Documentation of the ${name} API">
<link rel="icon" href="/favicon.svg"><link rel="stylesheet" href="/docs/docs.css">
<link rel="alternate" type="text/markdown" href="${path}.md"><link rel="service-desc" type="application/json" href="/openapi.json">
<script type="module" src="/docs/copy.js"></script></head><body>
<a class="skip" href="#content">Skip to content</a>
<header><a class="brand" href="/docs">${name} API</a>
<nav aria-label="Documentation"><ul><li><a href="/docs">Guide</a></li><li><a href="/docs/problems">Problems</a></li></ul>
<h2>On this page</h2><ul>${contents.join('')}</ul></nav></header>
<main id="content"><h1>${escapeHtml(title)}</h1>
<p class="quiet">Version 1.0.0 · <a href="/openapi.json">OpenAPI document</a> · <a href="${path}.md">Markdown</a> · <a href="/llms.txt">llms.txt</a></p>
${blocks.map(blockHtml).join('\n')}
</main></body></html>
`;
}
