"""Users and their policies, as tests make them."""

import contextlib
import json

import botocore.exceptions


def forget(iam, name):
    with contextlib.suppress(botocore.exceptions.ClientError):
        for key in iam.call("ListAccessKeys", UserName=name)["AccessKeyMetadata"]:
            iam.call("DeleteAccessKey", UserName=name, AccessKeyId=key["AccessKeyId"])
        for policy in iam.call("ListUserPolicies", UserName=name)["PolicyNames"]:
            iam.call("DeleteUserPolicy", UserName=name, PolicyName=policy)
        iam.call("DeleteUser", UserName=name)


def policy(*statements):
    """A document of these statements."""
    return json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": effect, "Action": action, "Resource": resource, **({"Condition": condition[0]} if condition else {})}
        for effect, action, resource, *condition in statements]})
