import type { Counted, Profile } from './profile.ts';

/** Who spends what: the first rule that a function's object or name fits. Without one, it counts for its callers. */
const spenders: [spender: string, object: RegExp | null, name: RegExp | null][] = [
  ['allocations', /^libc\.so/, /^(malloc|free|calloc|realloc|_int_\w+|sysmalloc|unlink_chunk|malloc_consolidate|tcache_\w+|\w*arena\w*)\b/],
  ['allocations', /^libmimalloc\./, null],
  ['allocations', /^libstdc\+\+/, /^operator (new|delete)/],
  ['libpq', /^libpq\./, null],
  // What many use counts for who uses it.
  ['', /^(libc|libcrypto|libstdc\+\+|libm|ld-linux|libfmt|libspdlog)[.-]/, null],
  ['', null, /^call_service::(jose|Uuid)\b|^call_service::(append_timestamp|wire::(append_|quote)|is_utf8|find_invalid_utf8|decode_front|count_code_points)/],
  ['ids', null, /^call_service::make_uuid_v7/],
  ['HTTP', null, /^call_service::http::|boost::beast::|HttpConnection/],
  ['authorization', null, /^call_service::middlewares::.*(Authorizer|WebhookAuthorization|credential|bearer)|WebhookVerifier|is_in_time/],
  ['routing and middlewares', null, /^call_service::(api::(Exchange|find_route|.anonymous namespace.::(split|body_types)|Application)|middlewares::)/],
  ['logs and metrics', null, /^call_service::(log::|metrics::|api::log_access|api::loggable_path|services::.*tell_)/],
  ['JSON and validation', null, /boost::json::|^call_service::(wire::(read|detail::(read|check|require)|Json)|schemas::)/],
  ['answer as JSON', null, /call_service::(wire::(write|detail::append)|api::.*_response)/],
  ['LiveKit token', null, /^call_service::livekit::.*(make_join_token|append_)/],
  ['JSON and validation', null, /^call_service::livekit::/],
  ['SQL', null, /^call_service::(db::(postgres|sqlite|group_members|Dialect)|repositories::|models::)/],
  ['hand-over to the database and back', null, /call_service::db::(Engine|Backlog)/],
  ['threads and timers', null, /boost::asio::/],
  ['handlers and services', null, /^call_service::|void call_service::|auto call_service::/],
];

export const spenderNames = [...new Set(spenders.map(([spender]) => spender)), 'other'].filter(Boolean);

function ruleFor({ object, name }: Counted): string {
  const rule = spenders.find(([, inObject, named]) => (inObject?.test(object) ?? true) && (named?.test(name) ?? true));
  return rule?.[0] ?? '';
}

type Shares = Map<string, number>;

/** The instructions of each spender. */
export function spentBy(profile: Profile): Shares {
  const callers = profile.callers();
  const known = new Map<string, Shares>();

  // The parts of a function's instructions that count for each spender: by what its callers spend in it.
  const sharesOf = (key: string, above: Set<string>): Shares => {
    const found = known.get(key);
    if (found !== undefined) return found;
    const own = ruleFor(profile.functions.get(key)!);
    if (own !== '') return new Map([[own, 1]]);
    const calls = (callers.get(key) ?? []).filter(({ caller }) => !above.has(caller) && caller !== key);
    const all = calls.reduce((sum, { instructions }) => sum + instructions, 0);
    if (all === 0) return new Map([['other', 1]]);
    const shares: Shares = new Map();
    for (const { caller, instructions } of calls) {
      for (const [spender, part] of sharesOf(caller, new Set([...above, key]))) {
        shares.set(spender, (shares.get(spender) ?? 0) + (part * instructions) / all);
      }
    }
    if (above.size === 0) known.set(key, shares);
    return shares;
  };

  const spent: Shares = new Map(spenderNames.map((name) => [name, 0]));
  for (const [key, { self }] of profile.functions) {
    if (self === 0) continue;
    for (const [spender, part] of sharesOf(key, new Set())) spent.set(spender, spent.get(spender)! + self * part);
  }
  return spent;
}
