// Prose as data, rendered twice: HTML for people and Markdown for everyone else, so that the two cannot disagree.
// Every text is escaped; inside it only `code` and [links](…) are marked up.

export type Block =
  | { heading: string; id: string; level?: 2 | 3 }
  | { text: string }
  | { method: string; path: string }
  | { list: readonly string[] }
  | { code: string; language: string }
  | { head: readonly string[]; rows: readonly (readonly string[])[] };

/** What a fence of Markdown calls a language that people know by another name. */
const FENCES: Readonly<Record<string, string>> = {
  curl: 'sh',
  JavaScript: 'js',
  Python: 'python',
  TypeScript: 'ts',
};
const INLINE = /`([^`]+)`|\[([^\]]+)\]\(([^)\s]+)\)/g;

export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

export function blockHtml(block: Block): string {
  if ('heading' in block) {
    const tag = `h${block.level ?? 2}`;
    return `<${tag} id="${escapeHtml(block.id)}">${inlineHtml(block.heading)}</${tag}>`;
  }
  if ('text' in block) return `<p>${inlineHtml(block.text)}</p>`;
  if ('method' in block) {
    return `<p class="call"><b>${block.method}</b> <code>${escapeHtml(block.path)}</code></p>`;
  }
  if ('list' in block) return `<ul>${block.list.map((item) => `<li>${inlineHtml(item)}</li>`).join('')}</ul>`;
  if ('code' in block) {
    const label = escapeHtml(block.language);
    return `<div class="sample" data-language="${label}"><pre tabindex="0" role="group" aria-label="${label} sample"><code>${escapeHtml(block.code)}</code></pre></div>`;
  }
  const head = block.head.map((cell) => `<th scope="col">${inlineHtml(cell)}</th>`).join('');
  const rows = block.rows.map(
    (row) => `<tr>${row.map((cell) => `<td>${inlineHtml(cell)}</td>`).join('')}</tr>`,
  );
  return `<div class="table" tabindex="0" role="group" aria-label="${escapeHtml(block.head.join(', '))}"><table><thead><tr>${head}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
}

export function blockMarkdown(block: Block): string {
  if ('heading' in block) return `${'#'.repeat(block.level ?? 2)} ${block.heading}`;
  if ('text' in block) return block.text;
  if ('method' in block) return `\`${block.method} ${block.path}\``;
  if ('list' in block) return block.list.map((item) => `- ${item}`).join('\n');
  if ('code' in block) return `\`\`\`${FENCES[block.language] ?? block.language}\n${block.code}\n\`\`\``;
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(block.head), line(block.head.map(() => '---')), ...block.rows.map(line)].join('\n');
}

function inlineHtml(text: string): string {
  return escapeHtml(text).replace(INLINE, (_, code?: string, label?: string, href?: string) =>
    code === undefined ? `<a href="${href}">${label}</a>` : `<code>${code}</code>`,
  );
}
