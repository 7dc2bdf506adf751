// The choice of the organisation: in the sidebar, and on the page while none is chosen. It has all organisations of the member, in
// the order of their names, with a filter if there are many.
import { signal, useSignal } from '@preact/signals';
import { ChevronsUpDown, Lock } from 'lucide';
import type { Plan } from './api.ts';
import { Icon } from './icon.tsx';
import { follow, go, linkTo, organisation, screen, session } from './state.ts';
import { Text } from './text.tsx';
import { texts } from './texts.ts';

const FILTER_ABOVE = 8;
/** How many links the page shows. The filter, and the list in the sidebar, have the others. */
const LINKS = 50;
const byName = new Intl.Collator('en', { numeric: true });

/** The largest plan first: Enterprise has Developer Zone. */
const PLANS = (Object.keys(texts.plan.names) as Plan[]).toReversed();

type Choice = { id: string; label: string; plan: Plan | null };

/** The member's organisations in order. Two with the same name also show their ids. */
function choices(): Choice[] {
  const mine = session.value?.organisations ?? [];
  const names = new Map<string, number>();
  for (const { name } of mine) names.set(name, (names.get(name) ?? 0) + 1);
  return mine
    .map(({ id, name, plan }) => ({ id, plan, label: names.get(name) === 1 ? name : `${name} (${id})` }))
    .toSorted((a, b) => byName.compare(a.label, b.label));
}

/** The organisations by plan. The plans without Developer Zone say that it is locked. */
function groups(all: Choice[]): [plan: string, choices: Choice[]][] {
  const plans = [...PLANS, null];
  return plans
    .map((plan): [string, Choice[]] => [nameOf(plan), all.filter((choice) => choice.plan === plan)])
    .filter(([, those]) => those.length > 0);
}

const nameOf = (plan: Plan | null): string =>
  plan === 'enterprise'
    ? texts.plan.names.enterprise
    : `${plan === null ? texts.plan.other : texts.plan.names[plan]} ${texts.locked}`;

/** The first letter of the name, as decoration. */
export function Monogram({ of }: { of: string }) {
  const [first] = of;
  return <span class="monogram" aria-hidden="true" data-letter={first?.toUpperCase()} />;
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
    go(linkTo(screen.value === 'activity' ? 'activity' : 'developer-zone', id));
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
      <label class="place">
        {current !== null && <Monogram of={current.name} />}
        <span class="place-name" translate={false} key={`${current?.id} ${current?.pausedAt}`}>
          {current?.name ?? texts.selectOrganisation}
          {current !== null && (
            <span>
              {current.plan === null ? texts.plan.other : texts.plan.names[current.plan]}
              {current.pausedAt !== null && `, ${texts.callsPaused}`}
            </span>
          )}
        </span>
        <Icon of={ChevronsUpDown} size={16} />
        <span class="hidden">{texts.organisation}</span>
        {/* The browser's own select covers the label: people know how to use it with a mouse, a keyboard and a phone. */}
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
          {groups(all.filter((row) => row.id === current?.id || found.includes(row))).map(([plan, those]) => (
            <optgroup key={plan} label={plan}>
              {those.map(({ id, label }) => (
                <option key={id} value={id}>
                  {label}
                </option>
              ))}
            </optgroup>
          ))}
        </select>
      </label>
    </div>
  );
}

/** The same choice as links on the page, because phones hide the sidebar. */
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
      {found.slice(0, LINKS).map(({ id, label, plan }) => (
        <a
          key={id}
          class="button choice"
          translate={false}
          href={linkTo('developer-zone', id)}
          onClick={follow}
        >
          <Monogram of={label} />
          {label}
          {plan !== 'enterprise' && (
            <>
              <Icon of={Lock} size={15} />
              <span class="hidden">{texts.locked}</span>
            </>
          )}
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
