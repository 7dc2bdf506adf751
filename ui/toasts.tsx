// Short messages at the bottom right, the newest on top: what comes moves nothing that is there, and what is left sinks by
// `translate`, which lays nothing out anew (CLS 0). Two live regions that exist before any text arrives: news waits,
// trouble does not.
import { useEffect, useRef } from 'preact/hooks';
import { Check, TriangleAlert, X } from 'lucide';
import { FailureNote } from './failure.tsx';
import { Icon } from './icon.tsx';
import { dialog, dismiss, toasts } from './state.ts';
import type { Toast } from './state.ts';
import { texts } from './texts.ts';

const SHOWN_MS = 6000;
const WITH_ACTION_MS = 10_000;

const GAP_PX = 8;

addEventListener('resize', () => (toasts.value = [...toasts.value]));

export function Toasts() {
  let below = 0;
  const rows = toasts.value
    .toReversed()
    .map((toast) => {
      const row = <ToastRow key={toast.id} toast={toast} below={below} />;
      below += (toast.node?.offsetHeight ?? 0) + GAP_PX;
      return row;
    })
    .toReversed();
  const those = (tone: Toast['tone']) => rows.filter(({ props }) => props.toast.tone === tone);
  return (
    <div class="toasts">
      <div role="status" aria-atomic="false">
        {those('ok')}
      </div>
      <div role="alert" aria-atomic="false">
        {those('error')}
      </div>
    </div>
  );
}

/** One message, `below` pixels of others under it. */
function ToastRow({ toast, below }: { toast: Toast; below: number }) {
  const { id, tone, text, action, failure } = toast;
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const pause = (): void => clearTimeout(timer.current);
  // Trouble stays until it is dismissed; the rest waits while someone reads or is about to act.
  const resume = (): void => {
    pause();
    if (tone === 'ok' && dialog.value === null && !toast.node?.matches(':hover, :focus-within'))
      timer.current = setTimeout(dismiss, action === undefined ? SHOWN_MS : WITH_ACTION_MS, id);
  };
  useEffect(() => {
    resume();
    return pause;
    // Under a dialog it can be neither read nor reached: its time begins anew afterwards.
  }, [dialog.value === null]);
  return (
    <div
      class={`toast ${tone}`}
      style={{ translate: `0 ${-below}px` }}
      ref={(node) => {
        toast.node = node;
      }}
      onPointerEnter={pause}
      onPointerLeave={resume}
      onFocusIn={pause}
      onFocusOut={resume}
    >
      <Icon of={tone === 'ok' ? Check : TriangleAlert} />
      <p>{text}</p>
      {action !== undefined && (
        <button
          type="button"
          class="button small"
          onClick={() => {
            dismiss(id);
            action.run();
          }}
        >
          {action.label}
        </button>
      )}
      <button type="button" class="icon-button" onClick={() => dismiss(id)}>
        <Icon of={X} size={16} />
        <span class="hidden">{texts.dismiss}</span>
      </button>
      {failure !== undefined && <FailureNote failure={failure} />}
    </div>
  );
}
