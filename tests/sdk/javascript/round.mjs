// One round of the unmodified AWS SDK for JavaScript: create, update, wait, invalidate, wait, delete.
//
// The endpoint and the key come from the environment, as `nearfront env` prints them. Prints one JSON
// object that says what was seen; any error ends it with status 1.
import {
  CloudFront,
  paginateListDistributions,
  waitUntilDistributionDeployed,
  waitUntilInvalidationCompleted,
} from "@aws-sdk/client-cloudfront";

const client = new CloudFront({ maxAttempts: 1 });
const patience = { client, maxWaitTime: 30, minDelay: 1, maxDelay: 1 };

const config = {
  CallerReference: `javascript-${process.pid}`,
  Comment: "made by JavaScript",
  Enabled: true,
  Origins: {
    Quantity: 1,
    Items: [
      {
        Id: "web",
        DomainName: "localhost",
        CustomOriginConfig: { HTTPPort: 80, HTTPSPort: 443, OriginProtocolPolicy: "http-only" },
      },
    ],
  },
  DefaultCacheBehavior: {
    TargetOriginId: "web",
    ViewerProtocolPolicy: "allow-all",
    CachePolicyId: "658327ea-f89d-4fab-a63d-7e88639e58f6",
  },
};

const made = await client.createDistribution({ DistributionConfig: config });
const Id = made.Distribution.Id;
await waitUntilDistributionDeployed(patience, { Id });

const read = await client.getDistributionConfig({ Id });
const changed = { ...read.DistributionConfig, Comment: "changed by JavaScript", Enabled: false };
const updated = await client.updateDistribution({ Id, IfMatch: read.ETag, DistributionConfig: changed });
const stale = await client
  .updateDistribution({ Id, IfMatch: read.ETag, DistributionConfig: changed })
  .then(() => "accepted", (error) => `${error.name} ${error.$metadata.httpStatusCode}`);
await waitUntilDistributionDeployed(patience, { Id });

const batch = { CallerReference: "one", Paths: { Quantity: 2, Items: ["/index.html", "/images/*"] } };
const invalidated = await client.createInvalidation({ DistributionId: Id, InvalidationBatch: batch });
await waitUntilInvalidationCompleted(patience, { DistributionId: Id, Id: invalidated.Invalidation.Id });

const listed = [];
for await (const page of paginateListDistributions({ client, pageSize: 1 }, {})) {
  listed.push(...(page.DistributionList.Items ?? []).map((item) => item.Id));
}
await client.deleteDistribution({ Id, IfMatch: updated.ETag });
const gone = await client
  .getDistribution({ Id })
  .then(() => "there", (error) => `${error.name} ${error.$metadata.httpStatusCode}`);
console.log(JSON.stringify({ Id, comment: updated.Distribution.DistributionConfig.Comment, stale, listed, gone }));
