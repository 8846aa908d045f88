// What the Node reference programs share with each other, the counterpart of measure.h and
// loopback.h: checked arguments, one loopback connection, figures as one JSON line, and an end that
// comes by itself.
import { once } from 'node:events'
import net from 'node:net'

import { quantile } from '../compare.ts'

const acceptMs = 30_000
const runMs = 300_000

export function usage(text: string): never {
  console.error(`usage: ${text}`)
  process.exit(2)
}

/** The argument as a number from `low` to `high`, or the end of the program: this bounds loads. */
export function numberArgument(text: string | undefined, low: number, high: number): number {
  const value = Number(text ?? Number.NaN)
  if (value >= low && value <= high) return value
  console.error(`${text}: a number from ${low} to ${high} is wanted`)
  return process.exit(2)
}

function fail(reason: unknown): never {
  console.error(reason instanceof Error ? reason.message : String(reason))
  process.exit(1)
}

/** The process ends after this time, whatever it waits for; earlier, when nothing is left to do. */
function endAfter(ms: number) {
  return setTimeout(() => fail(`not done after ${ms} ms`), ms).unref()
}

function ready(peer: net.Socket): net.Socket {
  endAfter(runMs)
  peer.setNoDelay(true)
  peer.on('error', fail)
  return peer
}

/** Listens on a free port, says which on stdout, and takes one connection. */
export async function acceptOnePeer(): Promise<net.Socket> {
  const server = net.createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const deadline = endAfter(acceptMs)
  const accepted = new Promise<net.Socket>((resolve) => server.once('connection', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') return fail('no port to listen on')
  console.log(JSON.stringify({ port: address.port }))
  const peer = await accepted
  clearTimeout(deadline)
  server.close()
  return ready(peer)
}

export async function connectTo(port: number): Promise<net.Socket> {
  const peer = net.connect(port, '127.0.0.1')
  await once(peer, 'connect')
  return ready(peer)
}

const fourDecimals = (_key: string, value: unknown) =>
  typeof value === 'number' ? Number(value.toFixed(4)) : value

export function printFigures(samples: Float64Array, more: Record<string, number | boolean>): void {
  const times = [...samples]
  const figures = { p50: quantile(times, 0.5), p99: quantile(times, 0.99), rounds: times.length }
  console.log(JSON.stringify({ ...figures, ...more }, fourDecimals))
}
