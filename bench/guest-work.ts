// How much work a guest gets done with its dirty log and without, as its clients see it: the shipped service
// under redis-benchmark, many requests in flight, on a primary that stands alone, so that nothing but the guest
// and its daemon's sockets is measured.

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

import { alternate } from './compare.ts'
import { DaemonPair } from './daemons.ts'
import { beside, type Benchmark, type Figure, type Plan } from './figure.ts'

const memoryBytes = 64 * 1024 * 1024
const pipelined = 64
const clients = 8
const requests = 300_000
const keys = 10_000
const leastOfScan = 0.85
const commands = ['set', 'get', 'incr'] as const

/** Requests a second. */
async function benchmarkRate(port: number, command: string, count: number): Promise<number> {
  const words = ['-p', port, '-P', pipelined, '-c', clients, '-n', count, '-r', keys, '-t', command]
  const { stdout } = await promisify(execFile)('redis-benchmark', [...words.map(String), '--csv'])
  const rate = Number(/^"\w+","([\d.]+)"/m.exec(stdout)?.[1])
  if (!(rate > 0)) throw new Error(`redis-benchmark said ${JSON.stringify(stdout)}`)
  return rate
}

async function isThere(): Promise<boolean> {
  return promisify(execFile)('redis-benchmark', ['--version']).then(
    () => true,
    () => false,
  )
}

async function standingAlone<T>(
  dirty: 'log' | 'scan',
  work: (port: number) => Promise<T>,
): Promise<T> {
  return DaemonPair.with({ guest: 'kv', memoryBytes, dirty }, async (pair) => {
    await pair.kill(pair.secondary)
    return work(pair.clientPort(pair.primary))
  })
}

async function measure(
  log: number,
  scan: number,
  { rounds, quick, tell }: Plan,
): Promise<Figure[]> {
  const count = quick ? requests / 10 : requests
  const figures: Figure[] = []
  for (const command of commands) {
    for (const port of [log, scan]) await benchmarkRate(port, command, count / 10)
    const results = await alternate(rounds, {
      log: async () => {
        const rate = await benchmarkRate(log, command, count)
        tell(`${command}: ${Math.round(rate / 1000)} thousand requests a second with the log`)
        return rate
      },
      scan: async () => benchmarkRate(scan, command, count),
      scanAgain: async () => benchmarkRate(scan, command, count),
    })
    const name = `redis-benchmark -P ${pipelined} -t ${command}, unprotected, with the log`
    const goal = { sign: '>=', limit: leastOfScan, of: 'ratio' } as const
    figures.push(
      beside({ part: 'l', name, unit: 'requests/s', goal }, results.log, {
        name: 'without',
        values: results.scan,
        again: results.scanAgain,
      }),
    )
  }
  return figures
}

export const guestWork: Benchmark = async (plan) => {
  if (!(await isThere())) {
    plan.tell('left out: there is no redis-benchmark here (Debian: redis-tools)')
    return []
  }
  return standingAlone('log', async (log) =>
    standingAlone('scan', async (scan) => measure(log, scan, plan)),
  )
}
