import { expect } from 'vitest';
import type { Database } from './database.ts';

// What holds at every moment, whatever ran at the same time: each statement lists what breaks it.
const violations: Record<string, string> = {
  'an open session in an ended call': `
    select s.session_id from sessions s join calls c on c.call_id = s.call_id
    where c.status = 'ended' and s.status <> 'ended'`,
  'two pending or two active sessions of a user in a call': `
    select call_id, user_id, status, count(*) as number from sessions
    where status <> 'ended' group by call_id, user_id, status having count(*) > 1`,
  'a session whose status and times disagree': `
    select session_id, status, joined_at, left_at, end_reason from sessions
    where (status = 'ended') <> (left_at is not null) or (status = 'ended') <> (end_reason is not null)
       or (status = 'active' and joined_at is null) or (status = 'pending' and joined_at is not null)`,
  'a call whose status and times disagree': `
    select call_id, status, ended_at, end_reason from calls
    where (status = 'ended') <> (ended_at is not null) or (status = 'ended') <> (end_reason is not null)`,
  'times of a session out of order': `
    select s.session_id, s.created_at, s.joined_at, s.left_at, c.ended_at from sessions s join calls c on c.call_id = s.call_id
    where s.left_at < s.created_at or s.left_at < s.joined_at or s.left_at > c.ended_at`,
  'times of a call out of order': `select call_id, started_at, ended_at from calls where ended_at < started_at`,
  'a count that is not the number of active sessions': `
    select c.call_id, c.participant_count from calls c
    where c.participant_count <> (select count(*) from sessions s where s.call_id = c.call_id and s.status = 'active')`,
  'a call ended by nobody or by two kinds': `
    select call_id, ended_by, ended_by_type from calls where (ended_by is null) <> (ended_by_type is null)`,
  'a timeline with gaps in its numbers': `
    select call_id, count(*) as entries, max(seq) as last from timeline group by call_id having count(*) <> max(seq) or min(seq) <> 1`,
  'a session of which the timeline tells another story': `
    select s.session_id, s.status, s.joined_at from sessions s
    where (select count(*) from timeline t where t.call_id = s.call_id and t.session_id = s.session_id and t.type = 'session.created') <> 1
       or (select count(*) from timeline t where t.call_id = s.call_id and t.session_id = s.session_id and t.type = 'session.joined')
          <> case when s.joined_at is null then 0 else 1 end
       or (select count(*) from timeline t where t.call_id = s.call_id and t.session_id = s.session_id and t.type = 'session.left')
          <> case when s.status = 'ended' then 1 else 0 end`,
  'a call of which the timeline tells another story': `
    select c.call_id, c.status, c.room_deletion from calls c
    where (select count(*) from timeline t where t.call_id = c.call_id and t.type = 'call.started') <> 1
       or (select count(*) from timeline t where t.call_id = c.call_id and t.type = 'call.ended')
          <> case when c.status = 'ended' then 1 else 0 end
       or (c.room_deletion is not null and not exists (
            select 1 from timeline t where t.call_id = c.call_id and t.type = 'room.deletion_requested'))
       or (c.room_deletion = 'done' and not exists (
            select 1 from timeline t where t.call_id = c.call_id and t.type = 'room.deleted'))`,
};

export async function expectInvariants(database: Database): Promise<void> {
  const found: Record<string, unknown[]> = {};
  for (const [what, sql] of Object.entries(violations)) {
    const rows = await database.query(sql);
    if (rows.length > 0) found[what] = rows;
  }
  expect(found).toEqual({});
}
