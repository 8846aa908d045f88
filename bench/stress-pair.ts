// A pair around the stress guest with 64 MiB: its region is filled once, and each `dirty` line then changes a
// known number of pages and makes a checkpoint due, since its answer is held. The period is so long that no
// other checkpoint comes in between.

import { DaemonPair, sleep, type PairOptions } from './daemons.ts'
import { LineClient } from './line-client.ts'
import type { CheckpointRow } from '../shared/protocol/rows.ts'

export const ramMb = 64
export const ramPages = ramMb * 256
/** Of a guest of so many MiB, the pages that `dirty` may choose from. */
export const regionPagesOf = (mb: number) => mb * 250
export const regionPages = regionPagesOf(ramMb)

const periodMs = 20_000
/** Other work on the machine must not end a session in mid-round. */
const suspectMs = 2000
/** After the answer: the secondary still applies, and the next `dirty` must not run beside that. */
const settleMs = 25
/** Of the guest itself, beside its region: counters and lines. */
const otherPagesMax = 8

export interface StressPair {
  readonly mb: number
  readonly pair: DaemonPair
  readonly client: LineClient
}

export async function withStressPair<T>(
  work: (stress: StressPair) => Promise<T>,
  { mb = ramMb, ...more }: Partial<PairOptions> & { readonly mb?: number } = {},
): Promise<T> {
  const options = {
    guest: 'stress',
    memoryBytes: mb * 2 ** 20,
    delays: { periodMs, suspectMs },
    ...more,
  }
  return DaemonPair.with(options, async (pair) => {
    const client = await LineClient.connect(pair.clientPort(pair.primary))
    try {
      const answer = await client.ask(`fill ${regionPagesOf(mb)}`)
      if (answer !== 'ok') throw new Error(`the stress guest can't fill its region: ${answer}`)
      await sleep(settleMs)
      return await work({ mb, pair, client })
    } finally {
      client.close()
    }
  })
}

/** How many pages `dirty` changes at this share. */
export const dirtyPagesOf = (permille: number, mb = ramMb) =>
  Math.floor((regionPagesOf(mb) * permille) / 1000)

/** Makes `count` checkpoints with that share of the region dirty; gives the rows of those that were just so. */
export async function dirtyCheckpoints(
  { mb, pair, client }: StressPair,
  permille: number,
  count: number,
): Promise<CheckpointRow[]> {
  const { epoch } = await pair.status(pair.primary)
  const pages = dirtyPagesOf(permille, mb)
  for (let i = 0; i < count; i++) {
    const answer = await client.ask(`dirty ${permille}`)
    if (Number(answer) !== pages) throw new Error(`dirty ${permille} was answered with ${answer}`)
    await sleep(settleMs)
  }
  const rows = await pair.checkpoints(2 * count, epoch)
  const fit = rows.filter(
    ({ trigger, pages: sent }) =>
      (trigger === 'output' || trigger === 'dirty') &&
      sent >= pages &&
      sent <= pages + otherPagesMax,
  )
  if (fit.length < count / 2) {
    throw new Error(`${fit.length} of ${count} checkpoints had ${pages} dirty pages`)
  }
  return fit
}
