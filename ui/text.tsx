// Texts that change. A browser's translator replaces our text nodes with its own, so a later change of our node is not
// visible. A new element for each text is visible.

const OPEN = '\u2068';
const CLOSE = '\u2069';

/** Marks a name, a mask or an address in a sentence: `Text` excludes it from translation and isolates its direction. */
export const asIs = (text: string): string => `${OPEN}${text.replaceAll(/[\u2068\u2069]/g, '')}${CLOSE}`;

/** A text that may change. */
export function Text({ of }: { of: string }) {
  if (of === '') return null;
  return (
    <span key={of}>
      {of.split(/[\u2068\u2069]/).map((part, index) =>
        index % 2 === 1 ? (
          <bdi key={index} translate={false}>
            {part}
          </bdi>
        ) : (
          part
        ),
      )}
    </span>
  );
}
