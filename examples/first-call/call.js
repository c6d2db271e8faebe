import { Room, RoomEvent } from 'livekit-client';

const $ = (selector) => document.querySelector(selector);
const form = $('#enter');
let room, callId;

form.call.value = new URLSearchParams(location.search).get('call') ?? '';

// One request to the service, as the user whose token it is.
async function post(path, body = {}) {
  const answer = await fetch(form.service.value + path, {
    method: 'POST',
    headers: { 'Authorization': `Bearer ${form.token.value.trim()}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  const content = await answer.json();
  if (!answer.ok) throw new Error(`${answer.status} ${content.code}: ${content.detail}`);
  return content;
}

// Start a call or join one: both answer with what LiveKit wants to see.
function admission() {
  if (!form.call.value) return post('/calls');
  const { sub } = JSON.parse(atob(form.token.value.split('.')[1].replaceAll('-', '+').replaceAll('_', '/')));
  return post(`/calls/${form.call.value.trim()}/join/${encodeURIComponent(sub)}`);
}

async function enter() {
  const admitted = await admission();
  callId = admitted.call_id;
  form.call.value = callId;
  history.replaceState(null, '', `?call=${callId}`);

  room = new Room();
  room.on(RoomEvent.ParticipantConnected, tile);
  room.on(RoomEvent.ParticipantDisconnected, (person) => tile(person).remove());
  room.on(RoomEvent.TrackSubscribed, (track, _publication, person) => tile(person).append(track.attach()));
  room.on(RoomEvent.TrackUnsubscribed, (track) => track.detach().forEach((element) => element.remove()));
  room.on(RoomEvent.LocalTrackPublished, ({ track }, person) => track.kind === 'video' && tile(person).append(track.attach()));
  room.on(RoomEvent.Disconnected, over);
  await room.connect(admitted.livekit_url, admitted.livekit_token);
  [room.localParticipant, ...room.remoteParticipants.values()].forEach(tile);
  inCall(true, `In call ${callId}. Others join with this page's address.`);
  await room.localParticipant.enableCameraAndMicrophone();
}

// The picture of a person, made when it is first asked for.
function tile(person) {
  const id = `person-${person.sid}`;
  let figure = document.getElementById(id);
  if (!figure) {
    figure = Object.assign(document.createElement('figure'), { id });
    figure.append(Object.assign(document.createElement('figcaption'), { textContent: person.name || person.identity }));
    $('#people').append(figure);
  }
  return figure;
}

function over() {
  $('#people').replaceChildren();
  inCall(false, 'Not in a call any more.');
}

function inCall(is, text) {
  form.querySelector('button').disabled = is;
  $('#leave').disabled = $('#end').disabled = !is;
  $('#state').textContent = text;
}

const told = (action) => (event) => {
  event.preventDefault();
  action().catch((error) => ($('#state').textContent = String(error.message)));
};
form.onsubmit = told(enter);
$('#leave').onclick = told(() => room.disconnect()); // LiveKit tells the service who left
$('#end').onclick = told(() => post(`/calls/${callId}/end`)); // and the service tells LiveKit to delete the room
