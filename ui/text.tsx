// Words that change under the hand. A browser's translator puts its own nodes in place of ours: a text that is written
// over afterwards is not seen any more. An element that is new with each text is.

const OPEN = '\u2068';
const CLOSE = '\u2069';

/** Marks a name, a mask or an address in a sentence: `Text` keeps translators away, and its direction to itself. */
export const asIs = (text: string): string => `${OPEN}${text.replaceAll(/[\u2068\u2069]/g, '')}${CLOSE}`;

/** A text that may be another one after the next change. */
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
