// Stands where a dialog opens whose script has not come yet.
import { Dialog } from './dialog.tsx';
import { ofToken } from './late.ts';
import { dialog } from './state.ts';
import { Text } from './text.tsx';
import { texts } from './texts.ts';

export function LateDialog() {
  const isMissing = ofToken.loaded.value === 'missing';
  const close = (): void => {
    dialog.value = null;
  };
  return (
    <Dialog labelledBy="late-title" onClose={close}>
      {/* With the focus, so that an Enter that was meant for the dialog does nothing here. */}
      <h2 id="late-title" tabIndex={-1} autofocus>
        <Text of={isMissing ? texts.dialog.failed : texts.dialog.loading} />
      </h2>
      <p role="alert">
        <Text of={isMissing ? `${texts.noAnswer} ${texts.dialog.unchanged}` : ''} />
      </p>
      <footer>
        <button type="button" class="button" onClick={close}>
          {texts.cancel}
        </button>
        {isMissing && (
          <button type="button" class="button primary" onClick={() => void ofToken.again()}>
            {texts.tryAgain}
          </button>
        )}
      </footer>
    </Dialog>
  );
}
