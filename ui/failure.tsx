// Failures as they are shown: in place of what was to be loaded, or inside a dialog; with the request id, to be copied
// into a message to the operator.
import { CloudOff, Copy } from 'lucide';
import type { Failure } from './api.ts';
import { Icon } from './icon.tsx';
import { explain } from './state.ts';
import { Text } from './text.tsx';
import { texts } from './texts.ts';

/** Stands where the data would stand, and tries again. */
export function LoadFailure({
  failure,
  title,
  text = explain(failure),
  retry,
}: {
  failure: Failure;
  title: string;
  text?: string;
  retry: () => void;
}) {
  return (
    <div class="hollow">
      <span class="medallion">
        <Icon of={CloudOff} size={22} />
      </span>
      <h2>{title}</h2>
      <p role="alert">
        <Text of={text} />
      </p>
      <FailureNote failure={failure} />
      <button type="button" class="button" onClick={retry}>
        {texts.tryAgain}
      </button>
    </div>
  );
}

/** There, empty, before anything fails: a live region must exist before its text. */
export function DialogFailure({ failure, lead }: { failure: Failure | null; lead: string }) {
  return (
    <div role="alert" class="dialog-error">
      {failure !== null && (
        <>
          <p>
            <Text of={`${lead} ${explain(failure)}`} />
          </p>
          <FailureNote failure={failure} />
        </>
      )}
    </div>
  );
}

export function FailureNote({ failure }: { failure: Failure }) {
  const { requestId } = failure;
  if (requestId === null || failure.status < 500) return null;
  return (
    <p class="small-print">
      {texts.requestId} <code translate={false}>{requestId}</code>
      <button type="button" class="icon-button" onClick={() => void navigator.clipboard.writeText(requestId)}>
        <Icon of={Copy} size={14} />
        <span class="hidden">{texts.copyRequestId}</span>
      </button>
    </p>
  );
}
