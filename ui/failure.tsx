// Shows failures in place of data that could not be loaded. A failure of the server has its request id, for a message to the operator.
import { useRef } from 'preact/hooks';
import { Check, CloudOff, Copy } from 'lucide';
import type { Failure } from './api.ts';
import { Icon } from './icon.tsx';
import { useSignal } from '@preact/signals';
import { explain } from './state.ts';
import { Text } from './text.tsx';
import { texts } from './texts.ts';

/** Shown in place of the data, with a button to try again. `retry` settles when the answer has come. */
export function LoadFailure({
  failure,
  title,
  text = explain(failure),
  retry,
}: {
  failure: Failure;
  title: string;
  text?: string;
  retry: () => Promise<void>;
}) {
  const busy = useSignal(false);
  const again = async (): Promise<void> => {
    busy.value = true;
    await retry();
    busy.value = false;
  };
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
      <button type="button" class="button" aria-disabled={busy.value} onClick={() => void again()}>
        <Text of={busy.value ? texts.dialog.loading : texts.tryAgain} />
      </button>
    </div>
  );
}

export function FailureNote({ failure }: { failure: Failure }) {
  const { requestId } = failure;
  const code = useRef<HTMLElement>(null);
  const told = useSignal('');
  if (requestId === null || failure.status < 500) return null;
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(requestId);
      told.value = texts.copiedRequestId;
    } catch {
      if (code.current !== null) getSelection()?.selectAllChildren(code.current);
      told.value = texts.selectedRequestId;
    }
  };
  return (
    <p class="small-print">
      {texts.requestId}{' '}
      <code ref={code} translate={false}>
        {requestId}
      </code>
      <button type="button" class="icon-button" onClick={() => void copy()}>
        <Icon of={told.value === texts.copiedRequestId ? Check : Copy} size={14} />
        <span class="hidden">{texts.copyRequestId}</span>
      </button>
      <span role="status">
        <Text of={told.value} />
      </span>
    </p>
  );
}
