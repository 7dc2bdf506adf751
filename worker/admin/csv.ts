// One cell of a CSV file that people open in a spreadsheet.

/**
 * RFC 4180. Text that a spreadsheet would run as a formula gets an apostrophe before it (OWASP, CSV injection): at the start of the
 * cell, and after each character that may end a cell. The separator is `;` in much of Europe, and a tab in pasted text. Quotes in the
 * middle of such a line do not protect.
 */
export function csvCell(text: string): string {
  const safe = text
    .replaceAll(/(?<=^|[;,|"\t\r\n])(?=[^\S\t\r\n]*[=+\-@\uff1d\uff0b\uff0d\uff20|%])/g, "'")
    .replace(/^[\t\r\n]/, "'$&");
  return /[";,\t\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
