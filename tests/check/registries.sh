#!/usr/bin/env bash
# No file names a host of a package registry: which one is asked is the builder's to choose.
# (The brackets keep this file from naming them.)
set -uo pipefail
. tests/check/tree.sh
hosts='(registry[.]npmjs|registry[.]yarnpkg|pypi[.]org|pythonhosted[.]org|proxy[.]golang[.]org'
hosts+='|sum[.]golang[.]org|crates[.]io|rubygems[.]org|repo1?[.]maven([.]apache)?[.]org'
hosts+='|maven[.]org|deb[.]debian[.]org|security[.]debian[.]org|archive[.]ubuntu[.]com'
hosts+='|packages[.]confluent[.]io)'
! files | tr '\n' '\0' | xargs -0 grep -nIE "$hosts"
