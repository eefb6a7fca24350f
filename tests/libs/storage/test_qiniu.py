"""Signatures as Qiniu's documents print them."""

from datetime import UTC, datetime

from application.libs.storage.qiniu import QiniuKey

KEY = QiniuKey("MY_ACCESS_KEY", "MY_SECRET_KEY")
UNTIL = datetime.fromtimestamp(1_451_491_200, UTC)


class TestQiniuKey:
    def test_signs_the_documented_policy(self) -> None:
        policy = {
            "scope": "my-bucket:sunflower.jpg",
            "deadline": 1_451_491_200,
            "returnBody": '{"name":$(fname),"size":$(fsize),"w":$(imageInfo.width),"h":$(imageInfo.height),'
            '"hash":$(etag)}',
        }
        assert KEY.upload_token(policy) == (
            "MY_ACCESS_KEY:wQ4ofysef1R7IKnrziqtomqyDvI=:eyJzY29wZSI6Im15LWJ1Y2tldDpzdW5mbG93ZXIuanBnIiwiZGVhZGxpbmUiOj"
            "E0NTE0OTEyMDAsInJldHVybkJvZHkiOiJ7XCJuYW1lXCI6JChmbmFtZSksXCJzaXplXCI6JChmc2l6ZSksXCJ3XCI6JChpbWFnZUluZm8u"
            "d2lkdGgpLFwiaFwiOiQoaW1hZ2VJbmZvLmhlaWdodCksXCJoYXNoXCI6JChldGFnKX0ifQ=="
        )

    def test_signs_downloads(self) -> None:
        url = KEY.download_url("http://a.example/flower.jpg", UNTIL)
        assert url.startswith("http://a.example/flower.jpg?e=1451491200&token=MY_ACCESS_KEY:")
        assert KEY.download_url("http://a.example/f?attname=a", UNTIL).startswith("http://a.example/f?attname=a&e=145")

    def test_signs_requests(self) -> None:
        assert KEY.manage("/stat/abc").startswith("QBox MY_ACCESS_KEY:")
