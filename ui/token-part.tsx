// All that concerns one token, and every dialog. It is one module, so that it is fetched in one request (late.ts).
import { CreateDialog } from './create-dialog.tsx';
import { DeleteDialog } from './delete-dialog.tsx';
import { LimitDialogs } from './limit-dialog.tsx';
import { RotationDialogs } from './rotation.tsx';
import { SecretDialog } from './secret-dialog.tsx';
import { dialog } from './state.ts';
import { TokenPage } from './token-page.tsx';

function Dialogs() {
  const open = dialog.value;
  return (
    <>
      {open?.kind === 'create' && <CreateDialog organisation={open.organisation} />}
      {open?.kind === 'secret' && <SecretDialog {...open} />}
      {open?.kind === 'delete' && <DeleteDialog token={open.token} />}
      <RotationDialogs />
      <LimitDialogs />
    </>
  );
}

export const tokenPart = { Page: TokenPage, Dialogs };
