// All that concerns one token, and every dialog. It is one module, so that it is fetched in one request (late.ts).
import { CreateDialog } from './create-dialog.tsx';
import { DeleteDialog } from './delete-dialog.tsx';
import { ResumeDialog } from './exposed.tsx';
import { LimitDialogs } from './limit-dialog.tsx';
import { PauseDialog, resumeTogether } from './pause-dialog.tsx';
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
      {open?.kind === 'resume' && <ResumeDialog token={open.token} />}
      {open?.kind === 'pause' && <PauseDialog organisation={open.organisation} />}
    </>
  );
}

export const tokenPart = { Page: TokenPage, Dialogs, resumeTogether };
