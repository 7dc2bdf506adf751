// The export as a spreadsheet reads it: by comma, and by what else may be the separator of a spreadsheet's country.
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { csvCell } from './csv.ts';

/** Cells as a program finds them that knows no quotes: each separator and each line end begins a cell. */
function cellsOf(line: string, separator: string): string[] {
  return line.split(/[\r\n]/).flatMap((part) => part.split(separator));
}

it.each([',', ';', '\t', '|'])('holds no formula at the start of a cell that begins at "%s"', (separator) => {
  const piece = fc.constantFrom(
    '=',
    '+',
    '-',
    '@',
    ';',
    ',',
    '\t',
    '\r\n',
    '"',
    "'",
    ' ',
    'x',
    '|',
    '\u00a0',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const line = ['2026', csvCell(pieces.join('')), 'r'].join(',');
      // Quotes and blanks that stand before a cell's text are no part of it.
      for (const cell of cellsOf(line, separator))
        expect(cell.replace(/^[\s"]+/, '')).not.toMatch(/^[=+\-@]/);
    }),
    { numRuns: 5000 },
  );
});

it('is read back as it was written (RFC 4180), unless it holds a formula', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      fc.pre(!/[=+\-@|%]/.test(text) && !/^[\t\r\n]/.test(text));
      const cell = csvCell(text);
      const read = cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell;
      expect(read).toBe(text);
    }),
  );
});
