// The faults that `npm run test:planted` plants: each is a small mistake that a person could make in a source file.
// They are found by patterns in the text, so new code gets faults without a list to maintain.

/** `planted`: the whole text of the file with the fault. `name`: the place and the change; it is the same in each run. */
export type Fault = { file: string; name: string; planted: string };

type Change = { at: number; length: number; by: string; what: string };

/** Every fault for a file, in the order of the text. */
export function faultsIn(file: string, text: string): Fault[] {
  const changes = file.endsWith('.sql') ? statementsIn(text) : changesIn(withoutComments(text));
  return changes
    .toSorted((a, b) => a.at - b.at)
    .map(({ at, length, by, what }) => ({
      file,
      name: `${file}:${lineOf(text, at)} ${what}`,
      planted: withImport(text.slice(0, at) + by + text.slice(at + length), by),
    }));
}

function changesIn(code: string): Change[] {
  return [
    ...operandsIn(code),
    ...guardsIn(code),
    ...boundariesIn(code),
    ...limitsIn(code),
    ...headersIn(code),
    ...ordersIn(code),
  ];
}

/** The same text with a space for each character of a comment, so that positions stay the same. */
function withoutComments(text: string): string {
  return text.replaceAll(/^ *\/\/[^\n]*|^ *\/\*[\s\S]*?\*\/|(?<=[;,{] )\/\/[^\n]*/gm, (comment) =>
    comment.replaceAll(/[^\n]/g, ' '),
  );
}

function lineOf(text: string, at: number): number {
  return text.slice(0, at).split('\n').length;
}

/** A short form of a piece of code, for a name. */
function short(code: string): string {
  const line = code.replaceAll(/\s+/g, ' ').trim();
  return line.length > 60 ? `${line.slice(0, 57)}...` : line;
}

/** Each operand of a guard is left out: `and(a, b)` becomes `and(b)`, and `not(a)` becomes `a`. */
function operandsIn(text: string): Change[] {
  const changes: Change[] = [];
  for (const match of text.matchAll(/(?<![\w.])(?:and|or)\(/g)) {
    const start = match.index + match[0].length;
    const operands = argumentsFrom(text, start);
    if (operands.length < 2) continue;
    for (const { at, length } of operands) {
      const behind = /^\s*,?/.exec(text.slice(at + length))?.[0].length ?? 0;
      changes.push({
        at,
        length: length + behind,
        by: '',
        what: `without ${short(text.slice(at, at + length))}`,
      });
    }
  }
  for (const match of text.matchAll(/(?<![\w.])not\(/g)) {
    const start = match.index + match[0].length;
    const [operand] = argumentsFrom(text, start);
    if (operand === undefined) continue;
    changes.push({
      at: match.index,
      // With its parentheses: a trailing comma in them is allowed in a call alone.
      length: text.indexOf(')', operand.at + operand.length) + 1 - match.index,
      by: text.slice(operand.at, operand.at + operand.length),
      what: `not(${short(text.slice(operand.at, operand.at + operand.length))}) turned round`,
    });
  }
  return changes;
}

/** The arguments of a call whose opening parenthesis is before `start`. */
function argumentsFrom(text: string, start: number): { at: number; length: number }[] {
  const found: { at: number; length: number }[] = [];
  let depth = 0;
  let quote: string | null = null;
  let from = start;
  const take = (end: number): void => {
    const piece = text.slice(from, end);
    const at = from + (piece.length - piece.trimStart().length);
    if (piece.trim() !== '') found.push({ at, length: piece.trim().length });
    from = end + 1;
  };
  for (let index = start; index < text.length; index++) {
    const character = text.charAt(index);
    if (quote !== null) {
      if (character === quote) quote = null;
    } else if (character === "'" || character === '`') quote = character;
    else if ('([{'.includes(character)) depth++;
    else if (')]}'.includes(character)) {
      if (depth === 0) {
        take(index);
        return found;
      }
      depth--;
    } else if (character === ',' && depth === 0) take(index);
  }
  return found;
}

/**
 * Leaves out a guard that throws or answers at once, or a call of a limit. A guard that throws a plain `Error` is kept: it
 * states an impossible case for the type check.
 */
function guardsIn(text: string): Change[] {
  const guards = [
    /^ *if \([^\n]*\) (?:throw (?!new Error\()|return )[^\n]*;\n/gm,
    /^ *(?:await )?limit\w*\([^\n]*\);\n/gm,
  ];
  return guards.flatMap((guard) =>
    [...text.matchAll(guard)].map((match) => ({
      at: match.index,
      length: match[0].length,
      by: '',
      what: `without ${short(match[0])}`,
    })),
  );
}

/** A comparison of a query takes in its boundary, or leaves it out. */
function boundariesIn(text: string): Change[] {
  const others: Record<string, string> = { lt: 'lte', lte: 'lt', gt: 'gte', gte: 'gt' };
  return [...text.matchAll(/(?<![\w.])(lt|lte|gt|gte)\((?=\w)/g)].map((match) => {
    const [operator = ''] = match.slice(1);
    const operands = argumentsFrom(text, match.index + match[0].length);
    const compared = operands.map(({ at, length }) => text.slice(at, at + length)).join(', ');
    return {
      at: match.index,
      length: operator.length,
      by: others[operator] ?? '',
      what: `${others[operator]} instead of ${operator}(${short(compared)})`,
    };
  });
}

/** Adds the import of an operator that the file does not use yet; without it, the fault would only be a missing name. */
function withImport(planted: string, operator: string): string {
  if (!/^(?:asc|desc|lte?|gte?)$/.test(operator)) return planted;
  return planted.replace(/^import \{ ([^}]*) \} from 'drizzle-orm';/m, (line, names: string) =>
    names.split(', ').includes(operator) ? line : line.replace(names, `${names}, ${operator}`),
  );
}

/** Makes a named number larger by a half: a test at the boundary notices this, a test far from it does not. */
function limitsIn(text: string): Change[] {
  return [...text.matchAll(/^(?:export )?const ([A-Z][A-Z_]+) = (\d[\dA-Z_ *]*|[A-Z]+_MS);/gm)].map(
    (match) => {
      const [whole, name = '', value = ''] = match;
      const at = match.index + whole.lastIndexOf(value);
      return { at, length: value.length, by: `Math.ceil((${value}) * 1.5)`, what: `${name} is a half more` };
    },
  );
}

/** A header is left out. */
function headersIn(text: string): Change[] {
  const headers = [
    /^ *'?[a-z]+(?:-[a-z]+)+'?: ['`A-Z][^\n]*,\n/gm,
    /^ *vary: [^\n]*,\n/gm,
    /^ *c\.header\([^\n]*\);\n/gm,
  ];
  return headers.flatMap((header) =>
    [...text.matchAll(header)].map((match) => ({
      at: match.index,
      length: match[0].length,
      by: '',
      what: `without ${short(match[0])}`,
    })),
  );
}

/** The order of a list is turned round. */
function ordersIn(text: string): Change[] {
  return [...text.matchAll(/(?<![\w.])(asc|desc)\((?=\w)/g)].map((match) => ({
    at: match.index,
    length: match[1]?.length ?? 0,
    by: match[1] === 'asc' ? 'desc' : 'asc',
    what: `${match[1]} turned round`,
  }));
}

/** A trigger, an index or a constraint of the schema is left out. */
function statementsIn(text: string): Change[] {
  const statements = [
    /^CREATE TRIGGER (\w+)[\s\S]*?^END;\n|^CREATE TRIGGER (\w+)[^\n]*END;\n/gm,
    /^CREATE INDEX (\w+)[^\n]*;\n/gm,
  ];
  return statements.flatMap((statement) =>
    [...text.matchAll(statement)].map((match) => ({
      at: match.index,
      length: match[0].length,
      by: '',
      what: `without ${match[1] ?? match[2] ?? ''}`,
    })),
  );
}
