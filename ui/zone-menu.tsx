// The menu of Developer Zone, with what concerns all tokens. The browser opens it, closes it and returns the focus (popover).
import { useRef } from 'preact/hooks';
import { Ellipsis } from 'lucide';
import { Icon } from './icon.tsx';
import { dialog } from './state.ts';
import type { Organisation } from './state.ts';
import { texts } from './texts.ts';
import { tokens } from './tokens.ts';

const GAP_PX = 4;

export function ZoneMenu({ place }: { place: Organisation }) {
  const button = useRef<HTMLButtonElement>(null);
  const menu = useRef<HTMLDivElement>(null);
  const isAny = tokens.value.state === 'ready' && tokens.value.value.some(({ active }) => active);
  // Not every browser places a popover beside its button (anchor positioning). From the right, so that it stays in a smaller window.
  const moveToButton = (): void => {
    const { bottom, right } = button.current?.getBoundingClientRect() ?? { bottom: 0, right: 0 };
    Object.assign(menu.current?.style ?? {}, {
      top: `${scrollY + bottom + GAP_PX}px`,
      right: `${document.body.clientWidth - right}px`,
    });
  };
  return (
    <>
      <button ref={button} type="button" class="icon-button" popovertarget="zone-menu" title={texts.more}>
        <Icon of={Ellipsis} size={18} />
        <span class="hidden">{texts.more}</span>
      </button>
      <div id="zone-menu" ref={menu} class="menu" popover="auto" onBeforeToggle={moveToButton}>
        <button
          type="button"
          aria-disabled={!isAny}
          onClick={() => {
            if (!isAny) return;
            menu.current?.hidePopover();
            dialog.value = { kind: 'pause', organisation: place };
          }}
        >
          {texts.pauseAll}
        </button>
      </div>
    </>
  );
}
