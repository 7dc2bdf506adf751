/** A caller's own text, cut to a length that an answer can carry. */
export function cut(text: string): string {
  return text.length > 64 ? `${text.slice(0, 64)}…` : text;
}
