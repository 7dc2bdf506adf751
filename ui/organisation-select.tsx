// The choice of the organisation: in the sidebar, and on the page while none is chosen. All of them, in the order in which
// people count, with a filter where they are many.
import { signal, useSignal } from '@preact/signals';
import { ChevronsUpDown } from 'lucide';
import { Icon } from './icon.tsx';
import { follow, go, linkTo, organisation, screen, session } from './state.ts';
import { Text } from './text.tsx';
import { texts } from './texts.ts';

const FILTER_ABOVE = 8;
/** Links on the page at a time; the filter and the list in the sidebar reach the rest. */
const LINKS = 50;
const byName = new Intl.Collator('en', { numeric: true });

type Choice = { id: string; label: string };

/** The member's organisations in order. Two of one name are told apart by their ids. */
function choices(): Choice[] {
  const mine = session.value?.organisations ?? [];
  const names = new Map<string, number>();
  for (const { name } of mine) names.set(name, (names.get(name) ?? 0) + 1);
  return mine
    .map(({ id, name }) => ({ id, label: names.get(name) === 1 ? name : `${name} (${id})` }))
    .toSorted((a, b) => byName.compare(a.label, b.label));
}

const matching = (all: Choice[], filter: string): Choice[] => {
  const wanted = filter.trim().toLowerCase();
  return all.filter(({ label, id }) => `${label} ${id}`.toLowerCase().includes(wanted));
};

function Filter({
  value,
  count,
  total,
  onInput,
  onEnter,
}: {
  value: string;
  count: number;
  total: number;
  onInput: (value: string) => void;
  onEnter: () => void;
}) {
  return (
    <label class="organisation-filter">
      <span class="hidden">{texts.findOrganisation}</span>
      <input
        type="search"
        placeholder={texts.findOrganisation}
        autocomplete="off"
        value={value}
        onInput={(event) => onInput(event.currentTarget.value)}
        onKeyDown={(event) => event.key === 'Enter' && onEnter()}
      />
      <span role="status" class="hint">
        <Text of={value === '' ? '' : texts.found(count, total)} />
      </span>
    </label>
  );
}

const sidebarFilter = signal('');

export function OrganisationSelect({ onChoice }: { onChoice: () => void }) {
  const all = choices();
  const current = organisation.value;
  const found = matching(all, sidebarFilter.value);
  const choose = (id: string): void => {
    sidebarFilter.value = '';
    go(linkTo(screen.value === 'sessions' ? 'developer-zone' : screen.value, id));
    onChoice();
  };
  return (
    <div class="organisation">
      {all.length > FILTER_ABOVE && (
        <Filter
          value={sidebarFilter.value}
          count={found.length}
          total={all.length}
          onInput={(value) => (sidebarFilter.value = value)}
          onEnter={() => found.length > 0 && choose(found[0]?.id ?? '')}
        />
      )}
      <label class="select">
        <span class="hidden">{texts.organisation}</span>
        <select
          translate={false}
          value={current?.id ?? ''}
          onChange={(event) => choose(event.currentTarget.value)}
        >
          {current === null && (
            <option value="" disabled>
              {texts.selectOrganisation}
            </option>
          )}
          {all
            .filter((row) => row.id === current?.id || found.includes(row))
            .map(({ id, label }) => (
              <option key={id} value={id}>
                {label}
              </option>
            ))}
        </select>
        <Icon of={ChevronsUpDown} size={16} />
      </label>
    </div>
  );
}

/** The same choice without the sidebar, which phones keep behind a button. */
export function OrganisationLinks() {
  const filter = useSignal('');
  const all = choices();
  const found = matching(all, filter.value);
  return (
    <>
      {all.length > FILTER_ABOVE && (
        <Filter
          value={filter.value}
          count={found.length}
          total={all.length}
          onInput={(value) => (filter.value = value)}
          onEnter={() => found.length > 0 && go(linkTo('developer-zone', found[0]?.id ?? ''))}
        />
      )}
      {found.slice(0, LINKS).map(({ id, label }) => (
        <a
          key={id}
          class="button choice"
          translate={false}
          href={linkTo('developer-zone', id)}
          onClick={follow}
        >
          {label}
        </a>
      ))}
      {found.length > LINKS && (
        <p>
          <Text of={texts.moreOrganisations(found.length - LINKS)} />
        </p>
      )}
    </>
  );
}
