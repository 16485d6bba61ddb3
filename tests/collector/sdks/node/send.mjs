// Send each kind of call with @segment/analytics-node: `node send.mjs URL KEY USER`. Exits with 1 when one was not taken.
import { Analytics } from '@segment/analytics-node'

const [host, writeKey, userId] = process.argv.slice(2)
const analytics = new Analytics({ host, writeKey, maxRetries: 0 })
analytics.on('error', (error) => {
  console.error(error)
  process.exitCode = 1
})

analytics.identify({ userId, traits: { name: '김하늘', logins: 2 } })
analytics.track({
  userId,
  event: 'SDK Tried',
  properties: { title: 'Celadon Cup "Crane" 🍵', price: 12.5, quantity: 3 },
})
analytics.page({ userId, name: 'Checkout', properties: { path: '/checkout' } })
analytics.group({ userId, groupId: `group-of-${userId}`, traits: { seats: 5 } })
analytics.alias({ userId, previousId: `before-${userId}` })
await analytics.closeAndFlush()
