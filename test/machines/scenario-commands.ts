// The commands of the scenario files: a pattern and what it does, one row each. A text that no row knows is an
// error, so that a typo can't pass for a test. `given ...` runs a whole list and hides what it says.

import { fixedRecords } from '../../formats/xen/record-encoder.ts'
import type { VerbMessage } from '../../shared/protocol/control-messages.ts'
import type { ErrorCode } from '../../shared/protocol/errors.ts'
import type { Role } from '../../shared/protocol/words.ts'
import { latin1, PAIR, PEER, type Script } from './script.ts'
import { tokenOf } from './scripted-world.ts'

/** What a peer has seen that tells of this pair. */
const SEEN = { pair: PAIR, generation: 1, nonce: tokenOf(0x81) }

type Words = readonly (string | undefined)[]
type Row = readonly [pattern: RegExp, run: (script: Script, words: Words) => void]

/** `0,2` or `0-2047`. */
function pfnsOf(text: string | undefined): number[] {
  if (text === undefined) return []
  const [, from, to] = /^(\d+)-(\d+)$/.exec(text) ?? []
  if (from === undefined) return text.split(',').map(Number)
  return Array.from({ length: Number(to) - Number(from) + 1 }, (_, index) => Number(from) + index)
}

const optional = (text: string | undefined) => (text === undefined ? undefined : Number(text))

const ROWS: readonly Row[] = [
  // The side, the time, the witness.
  [/^guest memory (\d+) MiB$/, (s, [mib]) => (s.memoryBytes = Number(mib) * 1024 * 1024)],
  [
    /^disk at generation (\d+) epoch (\d+)$/,
    (s, [generation, epoch]) =>
      (s.world.disk.seen = {
        pair: PAIR,
        generation: Number(generation),
        nonce: tokenOf(0x80 + Number(generation)),
        epoch: Number(epoch),
      }),
  ],
  [
    /^start (primary|secondary)( as new)?( with manual failback)?$/,
    (s, [told, isNew, manual]) =>
      s.start(told as Role, manual ? 'manual' : 'auto', isNew !== undefined),
  ],
  [
    /^advance (\d+)( with heartbeats)?( that take nothing)?$/,
    (s, [ms, beats, still]) => s.advance(Number(ms), !!beats, !!still),
  ],
  [/^register none$/, (s) => (s.world.witness.register = undefined)],
  [
    /^register (\S.*) at (\d+)( of another line| of another pair| begun cold)?$/,
    (s, [holder = '', generation, what]) => {
      const line = what === ' of another line' ? 'another' : 'mine'
      const register = s.register(s.holder(holder), Number(generation), line)
      const pair = what === ' of another pair' ? tokenOf(0xfb) : register.pair
      const coldSince = what === ' begun cold' ? Number(generation) : 1
      s.world.witness.register = { ...register, pair, coldSince }
    },
  ],
  [/^witness answers$/, (s) => s.world.witness.answer()],
  [/^witness answers at once$/, (s) => (s.world.witness.answersAtOnce = true)],
  [/^witness answers when told$/, (s) => (s.world.witness.answersAtOnce = false)],
  [/^witness loses the answer$/, (s) => s.world.witness.loseAnswer()],
  [/^witness loses the question$/, (s) => s.world.witness.loseQuestion()],
  [/^witness is unreachable$/, (s) => s.world.witness.fail()],

  // The peer, dialled by this side.
  [/^peer cannot be dialled$/, (s) => s.world.dial?.failed('refused')],
  [/^peer takes the call$/, (s) => (s.world.link = s.world.dial?.open(s.world.controlLink()))],
  [
    /^peer refuses: (\S+)(?: as #(\d+))?(?:, having seen (nothing|the pair))?$/,
    (s, [code, incarnation, seen]) =>
      s.world.link?.message({
        type: 'refused',
        code: code as ErrorCode,
        reason: 'as scripted',
        incarnation: incarnation === undefined ? PEER : tokenOf(Number(incarnation)),
        seen: seen === undefined ? undefined : seen === 'nothing' ? null : SEEN,
      }),
  ],
  [/^peer welcomes session (\d+)$/, (s, [session]) => s.welcome(Number(session))],
  [/^data channel opens$/, (s) => s.acceptDialledData()],
  [/^data channel cannot be dialled$/, (s) => s.world.dialledData?.failed('refused')],
  [/^peer says checkpoint-request$/, (s) => s.deliver(fixedRecords.NEW)],
  [
    /^peer begins checkpoint (\d+)(?: pages (\S+))?(?: cpu (\w+))?$/,
    (s, [epoch, pfns, cpu]) => s.beginCheckpoint(Number(epoch), pfnsOf(pfns), cpu ?? 'cpu'),
  ],
  [/^peer ends the checkpoint$/, (s) => s.endCheckpoint()],
  [
    /^peer ends the checkpoint and begins (\d+) pages (\S+) at once$/,
    (s, [epoch, pfns]) => s.endAndBeginCheckpoint(Number(epoch), pfnsOf(pfns)),
  ],
  [
    /^peer names the pair$/,
    (s) => {
      const { register } = s.world.witness
      if (register) s.world.link?.message({ type: 'register', register })
    },
  ],
  [
    /^peer (serves|waits|holds nothing)$/,
    (s, [what]) => s.standing(what === 'serves', what !== 'holds nothing'),
  ],
  [
    /^peer has adopted$/,
    (s) => {
      const { register } = s.world.witness
      if (register) s.world.link?.message({ type: 'adopted', register })
    },
  ],
  [/^peer says stopped$/, (s) => s.world.link?.message({ type: 'stopped' })],

  // The peer, dialling this side.
  [
    /^peer says hello(?: at generation (\d+))?(?: with (\w+) (\S+))?$/,
    (s, [generation, what, value]) => s.hello(optional(generation), what ?? '', value ?? ''),
  ],
  [/^peer opens the data channel$/, (s) => s.openData(s.world.dataToken)],
  [/^peer opens the data channel with a wrong token$/, (s) => s.openData('wrong')],
  [
    /^peer says (svm-ready|svm-resumed|svm-suspended)(?: dirty (\S+))?$/,
    (s, [word = '', pfns]) => s.back(word, pfnsOf(pfns)),
  ],
  [/^peer says yield$/, (s) => s.world.link?.message({ type: 'yield' })],

  // Either.
  [/^peer says bye: (\S+)$/, (s, [code = '']) => s.bye(code)],
  [/^peer sends garbage$/, (s) => s.deliver(latin1('these are not the records you expect....'))],
  [/^control channel closes$/, (s) => s.world.link?.closed()],
  [/^data channel closes$/, (s) => s.world.channel?.closed()],
  [/^data channel is stuck$/, (s) => (s.world.isDataFull = true)],
  [
    /^data channel goes on$/,
    (s) => {
      s.world.isDataFull = false
      s.world.take()
    },
  ],

  // The guest and its clients.
  [/^guest runs$/, (s) => s.side.guest.running()],
  [/^guest is captured(?: pages (\S+))?$/, (s, [pfns]) => s.captured(pfnsOf(pfns), 'cpu')],
  [
    /^guest says (\d+) "(.*)"$/,
    (s, [connection, text = '']) => s.side.guest.output(Number(connection), latin1(text)),
  ],
  [/^guest closes (\d+)$/, (s, [connection]) => s.side.guest.closing(Number(connection))],
  [/^guest dies: (.+)$/, (s, [why = '']) => s.side.guest.died(why)],
  [
    /^client opens$/,
    (s) => {
      if (s.side.clientOpened() === undefined) s.world.say('client: refused')
    },
  ],
  [
    /^client (\d+) says "(.*)"$/,
    (s, [connection, text = '']) => s.side.clientSaid(Number(connection), latin1(text)),
  ],
  [/^client (\d+) closes$/, (s, [connection]) => s.side.clientClosed(Number(connection))],

  // The operator.
  [
    /^operator (failover|failback|pause|resume|adopt|start-over|stop)(?: (\d+))?( --pair)?( --peer-is-dead)?(?: --owner (\w+))?( --owner-is-dead)?(?: --forget-generation (\d+))?$/,
    (s, [verb, generation, pair, peerIsDead, owner, ownerIsDead, forget]) =>
      s.operate(verb as VerbMessage['verb'], {
        generation: optional(generation),
        pair: !!pair,
        peerIsDead: !!peerIsDead,
        owner: owner === 'peer' ? PEER.slice(0, 4) : owner,
        ownerIsDead: !!ownerIsDead,
        forgetGeneration: optional(forget),
      }),
  ],
]

const FOUNDING = [
  'start primary as new',
  'witness answers',
  'peer cannot be dialled',
  'advance 100',
]
const SERVING = [...FOUNDING, 'witness answers', 'witness answers', 'guest runs']
const SEEDING = [...SERVING, 'peer says hello', 'peer opens the data channel', 'witness answers']
const RECEIVED = [...SEEDING, 'guest is captured pages 0', 'peer says svm-ready']
const PROTECTED = [...RECEIVED, 'witness answers', 'peer says svm-resumed']
const DIALLING = ['register alone(peer) at 1', 'start secondary', 'witness answers']
const JOINED = [...DIALLING, 'peer takes the call', 'peer welcomes session 1', 'data channel opens']
const SEEDED = [...JOINED, 'peer begins checkpoint 1 pages 0', 'peer ends the checkpoint']
const NAMED = [...SEEDED, 'register pair(peer, me, 1) at 2', 'peer names the pair']

/** Where scenarios begin. Their own way there is a scenario as well: founding.txt, joining.txt. */
const GIVEN: Readonly<Record<string, readonly string[]>> = {
  'a founding primary': FOUNDING,
  'a serving primary': SERVING,
  'a serving primary with a client': [...SERVING, 'client opens'],
  'a seeding primary with a client': [...SERVING, 'client opens', ...SEEDING.slice(SERVING.length)],
  'a protected primary with a client': [
    ...SERVING,
    'client opens',
    ...PROTECTED.slice(SERVING.length),
  ],
  'a protected primary': PROTECTED,
  'a dialling secondary': DIALLING,
  'a joined secondary': JOINED,
  'a seeded secondary': SEEDED,
  'a protected secondary': NAMED,
}

export function runCommand(script: Script, command: string): string[] {
  const given = GIVEN[command.replace(/^given /, '')]
  if (command.startsWith('given ') && given !== undefined) {
    const lines = given.flatMap((one) => runCommand(script, one))
    return lines.filter((line) => line.startsWith('= ')).slice(-1)
  }
  for (const [pattern, run] of ROWS) {
    const match = pattern.exec(command)
    if (match === null) continue
    run(script, match.slice(1))
    return script.take()
  }
  throw new Error(`no such command: ${command}`)
}
