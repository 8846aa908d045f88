// How long a client is without its service when the primary dies: from kill() to the first correct answer of
// the secondary, as seen by a client that knocks at the secondary's port every millisecond. Once for a primary
// that is killed (its sockets are reset at once) and once for one that is stopped (only silence tells).

import { connect } from 'node:net'

import { DaemonPair, sleep } from './daemons.ts'
import { absolute, type Benchmark, type Goal, type Plan } from './figure.ts'

const memoryBytes = 64 << 20
const runsLeast = 10
const killedMs = 100
const suspectMs = 400
const stoppedMs = suspectMs + 150
const knockMs = 1
const patienceMs = 10_000
const keys = 2000
const valueBytes = 1024

const key = 'key:1'
const value = 'v'.repeat(valueBytes)

const request = (...words: string[]) =>
  `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`

const right = `$${valueBytes}\r\n${value}\r\n`

/** Sends `text` on a connection of its own; what came back until `whole` or until it was closed. */
async function converse(port: number, text: string, whole: number, ms: number): Promise<string> {
  return new Promise((resolve) => {
    let said = ''
    const socket = connect({ host: '127.0.0.1', port, noDelay: true })
    const done = () => {
      clearTimeout(timer)
      socket.destroy()
      resolve(said)
    }
    const timer = setTimeout(done, ms)
    socket.setEncoding('latin1')
    socket.on('error', done)
    socket.on('close', done)
    socket.on('connect', () => socket.write(text))
    socket.on('data', (more) => {
      said += String(more)
      if (said.length >= whole) done()
    })
  })
}

async function store(pair: DaemonPair): Promise<void> {
  const ok = '+OK\r\n'
  const text = Array.from({ length: keys }, (_, i) => request('SET', `key:${i}`, value)).join('')
  const port = pair.clientPort(pair.primary)
  const said = await converse(port, text, keys * ok.length, patienceMs)
  if (said !== ok.repeat(keys)) throw new Error('the service did not take its data')
}

/** From now to the first correct answer. */
async function firstAnswerMs(port: number, began: number): Promise<number> {
  while (performance.now() - began < patienceMs) {
    const left = patienceMs - (performance.now() - began)
    const said = await converse(port, request('GET', key), right.length, left)
    if (said === right) return performance.now() - began
    if (said !== '') throw new Error(`the survivor answers ${JSON.stringify(said.slice(0, 100))}`)
    await sleep(knockMs)
  }
  throw new Error(`no answer within ${patienceMs} ms`)
}

async function failover(pair: DaemonPair, signal: 'SIGKILL' | 'SIGSTOP'): Promise<number> {
  const { primary, secondary } = pair
  const victim = pair.process(primary)
  const port = pair.clientPort(secondary)
  const began = performance.now()
  victim.kill(signal)
  const ms = await firstAnswerMs(port, began)
  if (signal === 'SIGSTOP') {
    victim.kill('SIGCONT') // it halts, and comes back as a fresh secondary by itself
  } else {
    await pair.kill(primary)
    await pair.launch(primary, 'secondary')
  }
  await pair.protected()
  return ms
}

async function times(
  pair: DaemonPair,
  signal: 'SIGKILL' | 'SIGSTOP',
  { rounds, quick, tell }: Plan,
) {
  const taken: number[] = []
  const runs = quick ? rounds : Math.max(runsLeast, rounds)
  for (let run = 0; run < runs; run++) {
    const ms = await failover(pair, signal)
    tell(`${signal} to the first answer: ${ms.toFixed(1)} ms`)
    taken.push(ms)
  }
  return taken
}

const atMost = (limit: number): Goal => ({ sign: '<=', limit, of: 'ours' })

const line = (name: string, goal: Goal, values: readonly number[]) =>
  absolute({ part: 'd', name: `${name} to the first answer`, unit: 'ms', goal }, values)

export const failoverTime: Benchmark = async (plan) =>
  DaemonPair.with({ guest: 'kv', memoryBytes, delays: { suspectMs } }, async (pair) => {
    await store(pair)
    return [
      line('SIGKILL', atMost(killedMs), await times(pair, 'SIGKILL', plan)),
      line('SIGSTOP', atMost(stoppedMs), await times(pair, 'SIGSTOP', plan)),
    ]
  })
