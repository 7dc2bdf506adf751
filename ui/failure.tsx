// The small print of a failure: the request id, to be copied into a message to whoever runs this.
import { Copy } from 'lucide';
import type { Failure } from './api.ts';
import { Icon } from './icon.tsx';
import { texts } from './texts.ts';

export function FailureNote({ failure }: { failure: Failure }) {
  const { requestId } = failure;
  if (requestId === null || failure.status < 500) return null;
  return (
    <p class="small-print">
      {texts.requestId} <code>{requestId}</code>
      <button type="button" class="icon-button" onClick={() => void navigator.clipboard.writeText(requestId)}>
        <Icon of={Copy} size={14} />
        <span class="hidden">{texts.copyRequestId}</span>
      </button>
    </p>
  );
}
