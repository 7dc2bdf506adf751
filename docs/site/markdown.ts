// HTML of our own Markdown: samples and tables that scroll, headings with the ids of `{#id}`.
import { Marked } from 'marked';

export type Heading = { depth: number; id: string; html: string };

/** The displayed names of the languages of samples. */
const LABELS: Readonly<Record<string, string>> = {
  sh: 'curl',
  js: 'JavaScript',
  python: 'Python',
  ts: 'TypeScript',
};
const ID = / \{#([\w-]+)\}$/;

export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** Our Markdown as HTML, with its headings in order. */
export function htmlOf(markdown: string): { html: string; headings: Heading[] } {
  const headings: Heading[] = [];
  const marked = new Marked({
    renderer: {
      heading({ depth, tokens }) {
        const text = this.parser.parseInline(tokens);
        const html = text.replace(ID, '');
        const id = ID.exec(text)?.[1] ?? html.toLowerCase().replaceAll(' ', '-');
        headings.push({ depth, id, html });
        return `<h${depth} id="${id}">${html}</h${depth}>\n`;
      },
      // The method and the path of an endpoint.
      paragraph({ text, tokens }) {
        const [, method, path = ''] = /^`([A-Z]+) (\/[^`]*)`$/.exec(text) ?? [];
        return method === undefined
          ? `<p>${this.parser.parseInline(tokens)}</p>\n`
          : `<p class="call"><b>${method}</b> <code>${escapeHtml(path)}</code></p>\n`;
      },
      code({ text, lang = '' }) {
        const label = LABELS[lang] ?? lang;
        return `<div class="sample" data-language="${label}"><pre tabindex="0" role="group" aria-label="${label} sample"><code>${escapeHtml(text)}</code></pre></div>\n`;
      },
      table({ header, rows }) {
        const label = escapeHtml(header.map(({ text }) => text).join(', '));
        const head = header.map(({ tokens }) => `<th scope="col">${this.parser.parseInline(tokens)}</th>`);
        const body = rows.map((row) => {
          const cells = row.map(({ tokens }) => `<td>${this.parser.parseInline(tokens)}</td>`);
          return `<tr>${cells.join('')}</tr>`;
        });
        return `<div class="table" tabindex="0" role="group" aria-label="${label}"><table><thead><tr>${head.join('')}</tr></thead><tbody>${body.join('')}</tbody></table></div>\n`;
      },
    },
  });
  // Without asynchronous extensions, marked answers synchronously.
  return { html: marked.parse(markdown) as string, headings };
}

/** The same text for readers of the Markdown, without the ids. */
export function withoutIds(markdown: string): string {
  return markdown.replaceAll(/^(#+ .*) \{#[\w-]+\}$/gm, '$1');
}

/** The same text for readers of the Markdown, who fill in no form. */
export function withoutForm(markdown: string): string {
  return markdown.replaceAll(/^<form[^]*?^<\/form>\n\n/gm, '');
}
