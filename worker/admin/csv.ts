// One cell of a CSV file that people open in a spreadsheet.

/**
 * RFC 4180. An apostrophe stands before whatever a spreadsheet would run as a formula (OWASP, CSV injection): at the start of the
 * cell, and behind each character that may end a cell. The separator is `;` in much of Europe, and a tab where text is pasted;
 * quotes in the middle of such a line protect nothing.
 */
export function csvCell(text: string): string {
  const safe = text
    .replaceAll(/(?<=^|[;,|"\t\r\n])(?=[^\S\t\r\n]*[=+\-@\uff1d\uff0b\uff0d\uff20|%])/g, "'")
    .replace(/^[\t\r\n]/, "'$&");
  return /[";,\t\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
