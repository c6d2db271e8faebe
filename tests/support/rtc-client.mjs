// A participant in a process of its own, so that a test can kill it. Arguments: URL, token, "publish" or "listen".
// Writes one JSON line an event; ends after a line "disconnect" on standard input, or when that closes.
import { AudioFrame, AudioSource, LocalAudioTrack, Room, RoomEvent, TrackPublishOptions, TrackSource, dispose } from '@livekit/rtc-node';
import { createInterface } from 'node:readline';

const [url, token, mode] = process.argv.slice(2);
const tell = (event, more = {}) => process.stdout.write(`${JSON.stringify({ event, at: Date.now(), ...more })}\n`);

const room = new Room();
room.on(RoomEvent.ParticipantConnected, (participant) => tell('participant_connected', { identity: participant.identity }));
room.on(RoomEvent.ParticipantDisconnected, (participant) => tell('participant_disconnected', { identity: participant.identity }));
room.on(RoomEvent.TrackSubscribed, (_track, _publication, participant) => tell('track_subscribed', { identity: participant.identity }));
room.on(RoomEvent.Reconnecting, () => tell('reconnecting'));
room.on(RoomEvent.Disconnected, (reason) => tell('disconnected', { reason }));

async function publishTone() {
  const source = new AudioSource(48000, 1);
  const track = LocalAudioTrack.createAudioTrack('mic', source);
  await room.localParticipant.publishTrack(track, new TrackPublishOptions({ source: TrackSource.SOURCE_MICROPHONE }));
  const samples = Int16Array.from({ length: 4800 }, (_, index) => Math.round(8000 * Math.sin((index * 440 * 2 * Math.PI) / 48000)));
  for (;;) await source.captureFrame(new AudioFrame(samples, 48000, 1, samples.length));
}

async function leave() {
  await room.disconnect();
  await dispose();
  process.exit(0);
}

try {
  await room.connect(url, token, { autoSubscribe: true, dynacast: false });
} catch (error) {
  // The text may hold the token.
  tell('failed', { name: error?.name ?? 'unknown' });
  process.exit(1);
}
tell('connected', { sid: room.localParticipant.sid });
if (mode === 'publish') publishTone().catch(() => undefined);
createInterface({ input: process.stdin })
  .on('line', (line) => line === 'disconnect' && void leave())
  .on('close', () => void leave());
