#!/usr/bin/env node
// `npm run simulate`: runs seeds on all cores and says how many broke a rule. One seed is told event by event;
// of a failure the events are told too, and the last line replays it.

import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { GUARDS, type GuardName } from '../../shared/failover/survival.ts'
import { simulate } from './simulation.ts'

const HELP = `Simulates pairs of daemons on a virtual clock, network, witness and disk, one run a seed.

  npm run simulate -- --seed 1 --seeds 10000    seeds 1 to 10000 on all cores
  npm run simulate -- --seed 4711               one seed, one line an event

  --seed S             the first seed (1)
  --seeds N            how many (1)
  --jobs J             worker threads (all cores)
  --without-guard G    takes a guard of shared/failover/survival.ts away:
                       ${Object.keys(GUARDS).join(', ')}
  --quiet              no progress

Exit code: 0 no rule was broken, 1 one was (the last line replays it), 2 usage.`

interface Job {
  readonly first: number
  readonly count: number
  readonly step: number
  readonly withoutGuard: GuardName | undefined
}

interface Progress {
  readonly seeds: number
  readonly handshakes: number
  readonly busyMs: number
  readonly broken: { readonly seed: number; readonly violation: string } | undefined
}

const BATCH = 20

function takeAway(guard: GuardName | undefined): void {
  if (guard) GUARDS[guard] = () => true
}

function work({ first, count, step, withoutGuard }: Job): void {
  takeAway(withoutGuard)
  for (let done = 0; done < count;) {
    const began = performance.now()
    let handshakes = 0
    let seeds = 0
    let broken: Progress['broken']
    for (; seeds < BATCH && done < count && broken === undefined; seeds++, done++) {
      const outcome = simulate(first + done * step)
      handshakes += outcome.handshakes
      if (outcome.violation) broken = { seed: outcome.seed, violation: outcome.violation }
    }
    const busyMs = performance.now() - began
    parentPort?.postMessage({ seeds, handshakes, busyMs, broken } satisfies Progress)
    if (broken) return
  }
}

function options(): Job & { jobs: number; quiet: boolean } {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: '1' },
      seeds: { type: 'string', default: '1' },
      jobs: { type: 'string', default: String(availableParallelism()) },
      'without-guard': { type: 'string' },
      quiet: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(HELP)
    process.exit(0)
  }
  const [first, count, jobs] = [values.seed, values.seeds, values.jobs].map(Number)
  const guard = values['without-guard']
  if (guard !== undefined && !(guard in GUARDS)) throw new Error(`there is no guard ${guard}`)
  for (const number of [first, count, jobs]) {
    if (!Number.isSafeInteger(number) || number < 0) throw new Error('give whole numbers')
  }
  const withoutGuard = guard as GuardName | undefined
  return { first: first, count: count, step: 1, jobs: jobs, withoutGuard, quiet: values.quiet }
}

function tell(seed: number, withoutGuard: GuardName | undefined): boolean {
  takeAway(withoutGuard)
  const { events, violation, handshakes } = simulate(seed, true)
  for (const event of events) console.log(event)
  console.log(`seed ${seed}: ${handshakes} handshakes, ${violation ?? 'no rule was broken'}`)
  if (violation === undefined) return true
  const guard = withoutGuard ? ` --without-guard ${withoutGuard}` : ''
  console.log(`replay: npm run simulate -- --seed ${seed}${guard}`)
  return false
}

async function runAll({ first, count, jobs, withoutGuard, quiet }: ReturnType<typeof options>) {
  const total = { seeds: 0, handshakes: 0, busyMs: 0 }
  const began = performance.now()
  let toldAt = began
  const broken: NonNullable<Progress['broken']>[] = []
  const workers: Worker[] = []
  const ended: Promise<unknown>[] = []
  for (let job = 0; job < Math.min(jobs, count); job++) {
    const mine = Math.ceil((count - job) / jobs)
    const data: Job = { first: first + job, count: mine, step: jobs, withoutGuard }
    const worker = new Worker(new URL(import.meta.url), { workerData: data })
    workers.push(worker)
    worker.on('message', (progress: Progress) => {
      total.seeds += progress.seeds
      total.handshakes += progress.handshakes
      total.busyMs += progress.busyMs
      if (progress.broken) {
        broken.push(progress.broken)
        for (const one of workers) one.terminate().catch(console.error)
      }
      if (quiet || performance.now() - toldAt < 2000) return
      toldAt = performance.now()
      console.error(`${total.seeds} of ${count} seeds, ${total.handshakes} handshakes`)
    })
    ended.push(new Promise((resolve) => worker.once('exit', resolve)))
  }
  await Promise.all(ended)
  const rate = Math.round(total.handshakes / (total.busyMs / 1000))
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  const found = broken.toSorted((a, b) => a.seed - b.seed)[0]
  if (found) tell(found.seed, withoutGuard)
  const verdict = found ? `seed ${found.seed}: ${found.violation}` : 'no rule was broken'
  const line = `${total.seeds} seeds in ${seconds} s, ${total.handshakes} handshakes, ${rate} handshakes/s a core: ${verdict}`
  if (found) {
    const guard = withoutGuard ? ` --without-guard ${withoutGuard}` : ''
    console.log(`${line}\nreplay: npm run simulate -- --seed ${found.seed}${guard}`)
  } else console.log(line)
  return found === undefined
}

if (isMainThread) {
  try {
    const given = options()
    const fine = given.count === 1 ? tell(given.first, given.withoutGuard) : await runAll(given)
    process.exit(fine ? 0 : 1)
  } catch (error) {
    console.error(`simulate: ${(error as Error).message} (--help says what there is)`)
    process.exit(2)
  }
} else {
  work(workerData as Job)
}
