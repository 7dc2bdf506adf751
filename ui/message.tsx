// Messages: in the row of their token, or at the end of the page if there is no such row. A message of success goes after some
// seconds. A message of failure stays until it is dismissed.
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { Check, TriangleAlert, X } from 'lucide';
import { FailureNote } from './failure.tsx';
import { Icon } from './icon.tsx';
import { dialog, dismiss, receipts, toasts } from './state.ts';
import type { Message } from './state.ts';
import { Text } from './text.tsx';
import { texts } from './texts.ts';

const SHOWN_MS = 6000;
const WITH_ACTION_MS = 10_000;
const GAP_PX = 8;

addEventListener('resize', () => (toasts.value = [...toasts.value]));

/** Handlers for the element of the message. The message stays while it has the pointer or the focus. */
function useLinger({ id, tone, action }: Message, node: () => HTMLElement | null | undefined) {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const pause = (): void => clearTimeout(timer.current);
  const resume = (): void => {
    pause();
    if (tone === 'ok' && dialog.value === null && !node()?.matches(':hover, :focus-within'))
      timer.current = setTimeout(dismiss, action === undefined ? SHOWN_MS : WITH_ACTION_MS, id);
  };
  useEffect(() => {
    resume();
    return pause;
    // Nobody can read or reach a message under a dialog, so its time begins again after the dialog.
  }, [id, dialog.value === null]);
  return { onPointerEnter: pause, onPointerLeave: resume, onFocusIn: pause, onFocusOut: resume };
}

/** Two live regions, which exist before their text: a screen reader announces failures at once, and successes when it is idle. */
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
  const those = (tone: Message['tone']) => rows.filter(({ props }) => props.toast.tone === tone);
  return (
    // As high as all messages together, at the end of the page, so that every part of the page can be scrolled out from under them.
    <div class="toasts" style={{ height: `${below}px` }}>
      <div role="status" aria-atomic="false">
        {those('ok')}
      </div>
      <div role="alert" aria-atomic="false">
        {those('error')}
      </div>
    </div>
  );
}

/** One message, with `below` pixels of other messages under it. Messages move by `translate`, which causes no layout. */
function ToastRow({ toast, below }: { toast: Message; below: number }) {
  const { id, tone, text, action, failure } = toast;
  const linger = useLinger(toast, () => toast.node);
  // The height of the message is known only now.
  useLayoutEffect(() => void (toasts.value = [...toasts.value]), []);
  return (
    <div
      class={`message toast ${tone}`}
      style={{ translate: `0 ${-below}px` }}
      ref={(node) => {
        toast.node = node;
      }}
      {...linger}
    >
      <Icon of={tone === 'ok' ? Check : TriangleAlert} />
      <p>
        <Text of={text} />
      </p>
      {action !== undefined && <Action id={id} action={action} />}
      <Dismiss id={id} />
      {failure !== undefined && <FailureNote failure={failure} />}
    </div>
  );
}

function Action({
  id,
  action,
  kind = 'small',
}: {
  id: number;
  action: NonNullable<Message['action']>;
  /** A separate button, or a part of a line of text. */
  kind?: 'small' | 'link';
}) {
  return (
    <button
      type="button"
      class={`button ${kind}`}
      onClick={() => {
        dismiss(id);
        action.run();
      }}
    >
      {action.label}
    </button>
  );
}

function Dismiss({ id }: { id: number }) {
  return (
    <button type="button" class="icon-button" onClick={() => dismiss(id)}>
      <Icon of={X} size={16} />
      <span class="hidden">{texts.dismiss}</span>
    </button>
  );
}

/** The result of the last switch, under the status of the token. The live region exists before its text. */
export function Receipt({ token }: { token: string }) {
  const message = receipts.value[token];
  return <span role="status">{message?.tone === 'ok' && <News key={message.id} message={message} />}</span>;
}

function News({ message }: { message: Message }) {
  const element = useRef<HTMLSpanElement>(null);
  const linger = useLinger(message, () => element.current);
  return (
    <span class={message.also === undefined ? 'receipt' : 'receipt long'} ref={element} {...linger}>
      <span>
        <Text of={message.also === undefined ? message.text : `${message.text}.`} />
      </span>{' '}
      <span>
        {message.also !== undefined && <Text of={message.also} />}{' '}
        {message.action !== undefined && <Action id={message.id} action={message.action} kind="link" />}
      </span>
    </span>
  );
}

/** The failure of the last change of a token. */
export function Trouble({ token }: { token: string }) {
  const message = receipts.value[token];
  if (message === undefined || message.tone === 'ok') return null;
  return (
    <div role="alert" class="message error">
      <Icon of={TriangleAlert} />
      <p>
        <Text of={message.text} />
      </p>
      {message.action !== undefined && <Action id={message.id} action={message.action} />}
      <Dismiss id={message.id} />
      {message.failure !== undefined && <FailureNote failure={message.failure} />}
    </div>
  );
}
