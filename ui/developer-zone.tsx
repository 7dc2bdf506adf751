// Developer Zone: asks for an organisation, says which plan is needed, or shows the Admin API Tokens panel.
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { ArrowUpRight, Key, Lock, Plus } from 'lucide';
import type { IconNode } from 'lucide';
import type { ComponentChildren } from 'preact';
import { LoadFailure } from './failure.tsx';
import { Icon } from './icon.tsx';
import { formatClock } from './format.ts';
import { ofToken } from './late.ts';
import { OrganisationLinks } from './organisation-select.tsx';
import { useRefresh } from './refresh.ts';
import {
  dialog,
  explain,
  isOpen,
  limit,
  organisation,
  organisationId,
  product,
  refreshSession,
  session,
} from './state.ts';
import type { Organisation } from './state.ts';
import { Strip } from './strip.tsx';
import { Text } from './text.tsx';
import { texts } from './texts.ts';
import { listedAt, loadTokens, tokens } from './tokens.ts';
import { TokenTable } from './token-table.tsx';
import { ZoneMenu } from './zone-menu.tsx';

export function DeveloperZone() {
  if (organisation.value === null) return <NoOrganisation />;
  if (!isOpen.value) return <PlanRequired {...organisation.value} />;
  return (
    <>
      <div class="zone-head">
        <h1 tabIndex={-1}>{texts.developerZone}</h1>
        <ZoneMenu place={organisation.value} />
      </div>
      <p class="lead">
        <Text of={texts.lead(organisation.value.name)} />
      </p>
      <Panel in={organisation.value} />
      {tokens.value.state === 'ready' && (
        <p class="below-card">
          <span>{texts.tokens.offMeans}</span>
          <Text of={texts.refreshed(formatClock(listedAt.value))} />
        </p>
      )}
    </>
  );
}

function NoticePage({
  icon,
  title,
  children,
}: {
  icon: IconNode;
  title: string;
  children: ComponentChildren;
}) {
  // The member may get the plan, or the membership, while the page is open.
  useRefresh(refreshSession);
  return (
    <div class="notice-page">
      <span class="medallion">
        <Icon of={icon} size={24} />
      </span>
      <h1 tabIndex={-1} key={title}>
        {title}
      </h1>
      {children}
    </div>
  );
}

function NoOrganisation() {
  const mine = session.value?.organisations ?? [];
  const body =
    mine.length === 0
      ? texts.none.nobody
      : organisationId.value === null
        ? texts.none.body
        : texts.none.unknown;
  return (
    <NoticePage icon={Key} title={mine.length === 0 ? texts.none.nobodyTitle : texts.none.title}>
      <p>
        <Text of={body} />
      </p>
      <OrganisationLinks />
    </NoticePage>
  );
}

function PlanRequired({ name, plan }: Organisation) {
  return (
    <NoticePage icon={Lock} title={texts.plan.title}>
      <p>
        <Text of={plan === null ? texts.plan.below(name) : texts.plan.body(name, texts.plan.names[plan])} />
      </p>
      <p>
        <a class="button primary" href={product.contactUrl}>
          {texts.plan.contact(product.name)}
        </a>
      </p>
    </NoticePage>
  );
}

function Panel({ in: place }: { in: Organisation }) {
  useRefresh(loadTokens);
  const openCreate = (): void => {
    dialog.value = { kind: 'create', organisation: place };
  };
  const load = tokens.value;
  const count = load.state === 'ready' ? load.value.length : 0;
  const full = load.state === 'ready' && count >= limit.value;
  return (
    <section
      class="card"
      aria-labelledby="panel"
      aria-busy={load.state === 'loading'}
      // What a click here needs.
      onPointerEnter={ofToken.ahead}
      onFocusIn={ofToken.ahead}
    >
      <header class="card-head">
        <h2 id="panel">
          {texts.tokens.title}
          {load.state === 'ready' && (
            <span class="count" key={count}>
              <Meter count={count} />
              <span aria-hidden="true">{texts.found(count, limit.value)}</span>
              <span class="hidden">{texts.tokens.inUse(count, limit.value)}</span>
            </span>
          )}
        </h2>
        <a class="text-link quiet" href="/docs" target="_blank" rel="noopener">
          {texts.tokens.documentation}
          <Icon of={ArrowUpRight} size={14} />
          <span class="hidden">{texts.newTab}</span>
        </a>
        <button
          type="button"
          id="create"
          class="button primary"
          aria-disabled={full || load.state !== 'ready'}
          aria-describedby={full ? 'limit' : undefined}
          onClick={() => load.state === 'ready' && !full && openCreate()}
        >
          <Icon of={Plus} size={16} />
          {texts.tokens.create}
        </button>
        <div role="status">
          {full && (
            <p id="limit" class="hint">
              {texts.tokens.limit(limit.value)}
            </p>
          )}
        </div>
      </header>
      <Strip
        place={place}
        rows={load.state === 'ready' ? load.value : []}
        stale={load.state === 'ready' && load.stale}
      />
      {load.state === 'loading' && <Skeleton />}
      {load.state === 'failed' && (
        <LoadFailure
          failure={load.failure}
          title={texts.tokens.failedTitle}
          text={
            load.failure.status === 403 || load.failure.status === 404
              ? explain(load.failure)
              : `${explain(load.failure)} ${texts.tokens.failedBody}`
          }
          retry={loadTokens}
        />
      )}
      {load.state === 'ready' && count === 0 && (
        <div class="hollow">
          <span class="medallion">
            <Icon of={Key} size={22} />
          </span>
          <h2>{texts.tokens.emptyTitle}</h2>
          <p>{texts.tokens.emptyBody}</p>
          <button type="button" class="button" onClick={openCreate}>
            <Icon of={Plus} size={16} />
            {texts.tokens.emptyAction}
          </button>
        </div>
      )}
      {load.state === 'ready' && count > 0 && <TokenTable rows={load.value} />}
    </section>
  );
}

/** One mark for each token that the organisation may have. The marks of its tokens are filled. */
function Meter({ count }: { count: number }) {
  const places = Array.from({ length: limit.value }, (_, index) => index);
  return (
    <svg class="meter" width={places.length * 8 - 3} height="12" aria-hidden="true">
      {places.map((index) => (
        <rect key={index} class={index < count ? 'used' : ''} x={index * 8} width="5" height="12" rx="1.5" />
      ))}
    </svg>
  );
}

const late = signal(false);
const SKELETON_AFTER_MS = 150;

/** Bars in place of rows, shown only if the answer takes noticeably long. */
function Skeleton() {
  useEffect(() => {
    const timer = setTimeout(() => (late.value = true), SKELETON_AFTER_MS);
    return () => {
      clearTimeout(timer);
      late.value = false;
    };
  }, []);
  return (
    <div class={late.value ? 'skeleton' : 'skeleton waiting'}>
      <p role="status" class="hidden">
        {late.value ? texts.tokens.loading : ''}
      </p>
      {[0, 1, 2].map((row) => (
        <div key={row} class="bar-row" aria-hidden="true">
          <span class="bar" />
          <span class="bar" />
          <span class="bar" />
          <span class="bar" />
        </div>
      ))}
    </div>
  );
}
