// Short messages at the bottom right. Two live regions that exist before any text arrives: news waits, trouble does not.
import { useEffect, useRef } from 'preact/hooks';
import { Check, TriangleAlert, X } from 'lucide';
import { Icon } from './icon.tsx';
import { dismiss, toasts } from './state.ts';
import type { Toast } from './state.ts';
import { texts } from './texts.ts';

const SHOWN_MS = 6000;
const WITH_ACTION_MS = 10_000;

export function Toasts() {
  return (
    <div class="toasts">
      <div role="status">{toasts.value.filter(({ tone }) => tone === 'ok').map(one)}</div>
      <div role="alert">{toasts.value.filter(({ tone }) => tone === 'error').map(one)}</div>
    </div>
  );
}

const one = (toast: Toast) => <ToastRow key={toast.id} {...toast} />;

function ToastRow({ id, tone, text, action }: Toast) {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const pause = (): void => clearTimeout(timer.current);
  // Trouble stays until it is dismissed; the rest waits while someone reads or is about to act.
  const resume = (): void => {
    pause();
    if (tone === 'ok')
      timer.current = setTimeout(dismiss, action === undefined ? SHOWN_MS : WITH_ACTION_MS, id);
  };
  useEffect(() => {
    resume();
    return pause;
  }, []);
  return (
    <div
      class={`toast ${tone}`}
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
    </div>
  );
}
