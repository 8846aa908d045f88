// The second thread of a ChunkRing.

import { workerData } from 'node:worker_threads'
import { ChunkRing, type RingPlan } from './chunk-ring.ts'

new ChunkRing(workerData as RingPlan).fillAll()
