// Carries the injections out, in the order of their times. One that falls into a time without protection waits
// for it: a failure that the pair never promised to survive proves nothing.

import { setTimeout as delay } from 'node:timers/promises'
import { showSeconds } from '../../terminal/units.ts'
import { describeInjection, type Injection } from './injections.ts'
import type { PairRun } from './pair-run.ts'

const PROTECTED_WITHIN_MS = 60_000
/** A wait that is shorter is not worth a word. */
const QUIET_WAIT_MS = 50

export interface InjectorOptions {
  readonly run: PairRun
  readonly injections: readonly Injection[]
  readonly hangForMs: number
  readonly respawn: boolean
  readonly ending: AbortSignal
  readonly say: (line: string) => void
}

/** Resolves once all are carried out, hung sides continued. `protectedAt` is of performance.now(). */
export async function inject(options: InjectorOptions, protectedAt: number): Promise<void> {
  const { injections, ending } = options
  const continued: Promise<void>[] = []
  for (const injection of injections.toSorted((x, y) => x.atMs - y.atMs)) {
    await pause(protectedAt + injection.atMs - performance.now(), ending)
    if (ending.aborted || !(await waitForProtection(options, injection))) break
    continued.push(carryOut(options, injection))
  }
  await Promise.all(continued)
}

async function pause(ms: number, ending: AbortSignal): Promise<void> {
  await delay(Math.max(0, ms), undefined, { signal: ending }).catch(() => {})
}

async function waitForProtection(options: InjectorOptions, injection: Injection): Promise<boolean> {
  const { run, ending, respawn, say } = options
  if (run.isProtected) return true
  const from = performance.now()
  const what = describeInjection(injection)
  say(`${what}: waits, because the pair is not protected`)
  const hopeless = () => ending.aborted || (run.living.length < 2 && !respawn)
  if (await run.until(() => run.isProtected, PROTECTED_WITHIN_MS, hopeless)) {
    const waited = performance.now() - from
    if (waited > QUIET_WAIT_MS) say(`${what}: waited ${showSeconds(waited)} for protected`)
    return true
  }
  if (ending.aborted) return false
  const why = hopeless() ? 'only one side lives' : `not within ${showSeconds(PROTECTED_WITHIN_MS)}`
  run.problems.push(`${what} was not done: the pair was not protected again (${why})`)
  return false
}

async function carryOut(options: InjectorOptions, injection: Injection): Promise<void> {
  const { run, hangForMs, ending, say } = options
  const name = run.holderOf(injection.role)
  const child = name && run.side(name)?.child
  if (name === undefined || child === undefined) return
  if (child.end !== undefined) {
    const what = describeInjection(injection)
    run.problems.push(`${what} was not done: ${name} was started outside of this run`)
    return
  }
  run.disturb()
  if (injection.kind === 'kill') {
    child.wanted = true
    child.signal('SIGKILL')
    say(`${describeInjection(injection)}: killed ${name} (pid ${child.pid})`)
    await child.ended
    return
  }
  child.hung = true
  child.signal('SIGSTOP')
  say(
    `${describeInjection(injection)}: stopped ${name} (pid ${child.pid}) for ${showSeconds(hangForMs)}`,
  )
  await pause(hangForMs, ending)
  child.hung = false
  child.signal('SIGCONT')
  run.disturb()
  say(`${describeInjection(injection)}: ${name} continues`)
}
