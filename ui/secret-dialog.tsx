// The dialog that shows a secret once. Only the signal of the dialog holds the secret, until Done, or until the page is left. Nothing
// here writes it to storage, a URL, a title or a log.
import { useSignal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { Check, Copy, Plug } from 'lucide';
import type { Token } from './api.ts';
import { Dialog } from './dialog.tsx';
import { words } from './dialog-texts.ts';
import { focusWhenDrawn } from './focus.ts';
import { Icon } from './icon.tsx';
import { NO_LOGIN } from './no-login.ts';
import { dialog, report, session, toast } from './state.ts';
import { Text } from './text.tsx';
import { labelOf, patchToken } from './tokens.ts';

const SNIPPETS = {
  cURL: (url: string, secret: string) => `curl ${url} \\\n  -H "Authorization: Bearer ${secret}"`,
  JavaScript: (url: string, secret: string) =>
    `const answer = await fetch("${url}", {\n  headers: { Authorization: "Bearer ${secret}" },\n});\nconsole.log(await answer.json());`,
  Python: (url: string, secret: string) =>
    `import requests\n\nanswer = requests.get(\n    "${url}",\n    headers={"Authorization": "Bearer ${secret}"},\n)\nprint(answer.json())`,
} as const;
type Language = keyof typeof SNIPPETS;
const LANGUAGES = Object.keys(SNIPPETS) as Language[];
const COPIED_MS = 2500;

/** `told`: for a value that replaced another one, the message on the page of the token afterwards. */
export function SecretDialog({ token, secret, told }: { token: Token; secret: string; told?: string }) {
  const field = useRef<HTMLTextAreaElement>(null);
  const copied = useSignal<'token' | 'snippet' | null>(null);
  const saved = useSignal(false);
  const asking = useSignal(false);
  const status = useSignal('');
  const language = useSignal<Language>('cURL');
  const answer = useSignal<{ busy: boolean; text: string } | null>(null);
  const url = `${location.origin}/v1/ping`;
  // A token that is limited to paths calls the first of them.
  const [path] = token.paths;
  const snippet = SNIPPETS[language.value](path === undefined ? url : location.origin + path, secret);
  const ask = asking.value && !saved.value;

  useLayoutEffect(() => {
    // Selects again after the dialog is shown: WebKit drops a selection that is made while the focus moves.
    field.current?.select();
    const warn = (event: BeforeUnloadEvent): void => event.preventDefault();
    // A browser may keep the page (bfcache) and show it again. The secret must not be on it then.
    const forget = (): void => {
      if (field.current !== null) field.current.value = '';
      dialog.value = null;
    };
    addEventListener('beforeunload', warn);
    addEventListener('pagehide', forget);
    return () => {
      removeEventListener('beforeunload', warn);
      removeEventListener('pagehide', forget);
    };
  }, []);

  const copy = async (what: 'token' | 'snippet', text: string): Promise<boolean> => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      field.current?.select();
      field.current?.focus();
      status.value = words.secret.refused;
      return false;
    }
    saved.value = true;
    copied.value = what;
    status.value = words.secret.copiedStatus;
    setTimeout(() => (copied.value = null), COPIED_MS);
    return true;
  };
  const test = async (): Promise<void> => {
    if (answer.value?.busy) return;
    answer.value = { busy: true, text: words.secret.testing };
    try {
      const response = await fetch(url, {
        headers: { authorization: `Bearer ${secret}` },
        credentials: 'omit',
        cache: 'no-store',
      });
      // The list has the new last use only some seconds later.
      if (response.ok) patchToken(token, { lastUsedAt: new Date().toISOString() });
      const text = `${response.status} ${JSON.stringify(await response.json(), null, 2)}`;
      const isLimited = token.paths.length + token.networks.length > 0;
      answer.value = {
        busy: false,
        text: !response.ok && isLimited ? `${words.secret.limited}\n${text}` : text,
      };
    } catch {
      answer.value = { busy: false, text: words.secret.testFailed };
    }
  };
  const close = (): void => {
    dialog.value = null;
    if (session.value === null) return;
    if (told === undefined) toast('ok', words.create.created(labelOf(token)));
    else report(token, 'ok', told);
    focusWhenDrawn('#create, #rotate');
  };

  return (
    <Dialog labelledBy="secret-title" describedBy="secret-once" guarded onClose={close}>
      <h2 id="secret-title">{words.secret.title}</h2>
      <p id="secret-once">{words.secret.once}</p>
      <div class="secret-box">
        <textarea
          id="secret"
          aria-label={words.secret.field}
          ref={field}
          readOnly
          autofocus
          rows={2}
          class="mono"
          autocomplete="off"
          spellcheck={false}
          {...NO_LOGIN}
          translate={false}
          value={secret}
          onFocus={(event) => event.currentTarget.select()}
          onCopy={() => (saved.value = true)}
        />
        <button type="button" class="button primary copy" onClick={() => void copy('token', secret)}>
          <Icon of={copied.value === 'token' ? Check : Copy} size={16} />
          <Text of={copied.value === 'token' ? words.secret.copied : words.secret.copy} />
        </button>
      </div>
      <button
        type="button"
        class="button"
        aria-disabled={answer.value?.busy === true}
        onClick={() => void test()}
      >
        <Icon of={Plug} size={16} />
        {words.secret.test}
      </button>
      <output class="mono" aria-live="polite" translate={false}>
        <Text of={answer.value?.text ?? ''} />
      </output>
      <details class="first-call">
        <summary>{words.secret.snippets}</summary>
        <div class="snippet-head">
          <div
            role="tablist"
            aria-label={words.secret.snippets}
            onKeyDown={(event) => moveTab(event, language.value, (next) => (language.value = next))}
          >
            {LANGUAGES.map((name) => (
              <button
                key={name}
                type="button"
                role="tab"
                id={`tab-${name}`}
                aria-controls="snippet"
                aria-selected={language.value === name}
                tabIndex={language.value === name ? 0 : -1}
                onClick={() => (language.value = name)}
              >
                {name}
              </button>
            ))}
          </div>
          <button type="button" class="icon-button" onClick={() => void copy('snippet', snippet)}>
            <Icon of={copied.value === 'snippet' ? Check : Copy} size={16} />
            <span class="hidden">{words.secret.copySnippet}</span>
          </button>
        </div>
        <pre
          id="snippet"
          role="tabpanel"
          aria-labelledby={`tab-${language.value}`}
          tabIndex={0}
          class="mono"
          translate={false}
          onCopy={() => (saved.value = true)}
        >
          <Text of={snippet} />
        </pre>
      </details>
      <footer class="secret-foot">
        <div class={ask ? 'ask' : ''}>
          {status.value === '' && !saved.value && words.secret.notYet}
          {/* The region always exists, because text that arrives together with its region is not announced. */}
          <span role="status">
            <Text of={status.value} />
          </span>
        </div>
        {ask && (
          <button type="button" class="button" onClick={close}>
            {words.secret.closeAnyway}
          </button>
        )}
        {/* One button for both, so that the focus stays. */}
        <button
          type="button"
          class={saved.value || ask ? 'button primary' : 'button'}
          onClick={async () => {
            if (saved.value || (ask && (await copy('token', secret)))) close();
            else if (!ask) {
              asking.value = true;
              status.value = words.secret.notCopied;
            }
          }}
        >
          <Text of={ask ? words.secret.copyAndClose : words.secret.done} />
        </button>
      </footer>
    </Dialog>
  );
}

/** Arrow keys move between tabs (ARIA APG, tabs). */
function moveTab(event: KeyboardEvent, current: Language, choose: (next: Language) => void): void {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (step === undefined) return;
  const next =
    LANGUAGES[(LANGUAGES.indexOf(current) + step + LANGUAGES.length) % LANGUAGES.length] ?? current;
  choose(next);
  document.getElementById(`tab-${next}`)?.focus();
}
