// All that concerns one token. It is one module, so that it is fetched in one request (late.ts).
import { LimitDialogs } from './limit-dialog.tsx';
import { LimitFields } from './limit-fields.tsx';
import { RotationDialogs } from './rotation.tsx';
import { TokenPage } from './token-page.tsx';

function Dialogs() {
  return (
    <>
      <RotationDialogs />
      <LimitDialogs />
    </>
  );
}

export const tokenPart = { Page: TokenPage, Dialogs, LimitFields };
